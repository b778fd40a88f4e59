//! Webhooks: signed in Stripe's form, sent until they are taken.

use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use hmac::{Hmac, Mac};
use tokio_util::sync::CancellationToken;

use crate::Inner;
use crate::bank::{Event, Row};
use crate::clock::now_ms;

/// Sent at once at most.
const CONCURRENCY: usize = 32;
/// First wait after a failure, milliseconds; it doubles.
const FIRST_WAIT_MS: u64 = 200;
/// Longest wait between attempts, milliseconds.
const LONGEST_WAIT_MS: u64 = 30_000;
/// After this long nobody is told any more, milliseconds (three days).
const PATIENCE_MS: u64 = 3 * 86_400_000;
/// How long one delivery may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait between two looks.
const TICK: Duration = Duration::from_millis(100);

/// Delivers until told to stop.
pub(crate) async fn deliver(inner: &Inner, stop: CancellationToken) {
    let Ok(client) = http_client::builder().timeout(TIMEOUT).build() else {
        tracing::error!("the sandbox cannot make an HTTP client: no webhook will be sent");
        return;
    };
    let mut sending = FuturesUnordered::new();
    while !stop.is_cancelled() {
        let room = CONCURRENCY - sending.len();
        for (number, event) in due(inner, room).await {
            sending.push(send(inner, &client, number, event));
        }
        tokio::select! {
            () = stop.cancelled() => {}
            Some(()) = sending.next(), if !sending.is_empty() => {}
            () = inner.changed.notified(), if sending.len() < CONCURRENCY => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
    while sending.next().await.is_some() {}
}

/// Takes events that are due.
async fn due(inner: &Inner, room: usize) -> Vec<(u64, Event)> {
    if room == 0 {
        return Vec::new();
    }
    let taken = inner.store.call(move |bank| {
        let now = now_ms();
        let due = bank.events.iter_mut().filter(|(_, event)| !event.sending && event.due_ms <= now);
        let taken = due.take(room).map(|(number, event)| {
            event.sending = true;
            (*number, event.clone())
        });
        taken.collect::<Vec<_>>()
    });
    taken.await.unwrap_or_default()
}

/// `t=…,v1=…` over `t.body`.
fn signature(secret: &str, body: &str, at_s: u64) -> String {
    let mut mac = <Hmac<sha2::Sha256> as Mac>::new_from_slice(secret.as_bytes()).ok();
    if let Some(mac) = &mut mac {
        mac.update(format!("{at_s}.{body}").as_bytes());
    }
    let hash = mac.map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at_s},v1={hex}")
}

async fn send(inner: &Inner, client: &reqwest::Client, number: u64, event: Event) {
    let secret =
        if event.forged { "a secret that nobody agreed on" } else { inner.options.webhook_secret.as_str() };
    let signature = signature(secret, &event.body, now_ms() / 1_000);
    let request = client
        .post(&inner.options.webhook_url)
        .header("Stripe-Signature", signature)
        .header("Content-Type", "application/json")
        .body(event.body);
    let taken = match request.send().await {
        // A forged one is sent once: whoever forges does not wait for an answer.
        Ok(answer) => answer.status().is_success() || event.forged,
        Err(error) => {
            let why = http_client::why(&error, TIMEOUT);
            tracing::debug!(event = event.id, why, "webhook not delivered");
            event.forged
        }
    };
    let settled = inner.store.call(move |bank| {
        let now = now_ms();
        if let Some(event) = bank.events.get_mut(&number) {
            event.sending = false;
            event.attempts += 1;
            let wait = FIRST_WAIT_MS.saturating_mul(1 << event.attempts.min(20)).min(LONGEST_WAIT_MS);
            event.due_ms = now + wait;
            if taken || now > event.first_ms + PATIENCE_MS {
                bank.events.remove(&number);
            }
        }
        bank.dirty.push(Row::Event(number));
    });
    if settled.await.is_err() {
        tracing::warn!("the sandbox's books are closed: a webhook will be sent again");
    }
}
