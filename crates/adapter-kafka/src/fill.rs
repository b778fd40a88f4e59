//! What the reading thread does with one record, or with an error in its stead.

use std::collections::HashMap;
use std::sync::Arc;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use wire::{claim_event, padding_event};

use crate::consumer::{Shared, Standing};
use crate::dead_letters::Letter;
use crate::fault::LOG;
use crate::shelf::{Put, Record};
use crate::topics::partition;

/// Puts records where they belong.
#[derive(Default)]
pub(crate) struct Hand {
    /// Records that came too early, by topic and partition: what was to come, and what came. The same one again after the
    /// partition was fetched anew means that there is nothing between the two.
    early: HashMap<(String, i32), (u64, u64)>,
}

impl Hand {
    pub(crate) fn put(&mut self, shared: &Shared, message: &BorrowedMessage<'_>) {
        let standing = {
            let standings = shared.standings();
            standings.get(message.topic()).and_then(|of_topic| of_topic.get(&message.partition())).cloned()
        };
        let (Some(standing), Ok(at)) = (standing, u64::try_from(message.offset())) else { return };
        let mut shelf = standing.shelf();
        match shelf.place(at) {
            Put::Taken => {
                shelf.put(record(&standing, message));
                standing.arrived.notify_waiters();
            }
            Put::Known => {}
            Put::Full => {
                drop(shelf);
                shared.leave(&standing);
            }
            Put::TooEarly => {
                let next = shelf.next();
                drop(shelf);
                if self.is_gap(&standing, next, at) {
                    standing.shelf().skip_to(at);
                    self.put(shared, message);
                } else if let Err(error) = shared.follow(&standing, None) {
                    tracing::warn!(shard = %standing.shard, %error, "{LOG}: reading ahead failed");
                    standing.fell_behind();
                }
            }
        }
    }

    fn is_gap(&mut self, standing: &Standing, next: u64, at: u64) -> bool {
        let key = (standing.topic.clone(), partition(&standing.shard));
        if self.early.insert(key.clone(), (next, at)) != Some((next, at)) {
            return false;
        }
        self.early.remove(&key);
        tracing::warn!(shard = %standing.shard, next, at, "{LOG}: positions in between hold no record");
        true
    }
}

fn record(standing: &Standing, message: &BorrowedMessage<'_>) -> Record {
    let headers = message.headers();
    let header = |name: &str| headers?.iter().find(|header| header.key == name)?.value;
    if padding_event::is_padding(header) {
        return Record::Passed;
    }
    match claim_event::read(&standing.shard, header, message.payload()) {
        Ok(claim) => Record::Claim(claim),
        Err(reason) => Record::Letter(Arc::new(Letter::of(message, reason))),
    }
}

/// An error does not say which shard it is about: everybody who waits looks again, and whoever lacks something asks why.
pub(crate) fn failed(shared: &Shared, error: &KafkaError) {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, Resolve};
    match error.rdkafka_error_code() {
        // The client connects again by itself.
        Some(AllBrokersDown | BrokerTransportFailure | Resolve) => {
            tracing::debug!(%error, "{LOG}: no connection");
        }
        _ => {
            tracing::warn!(%error, "{LOG}: reading ahead failed");
            let standings: Vec<_> =
                shared.standings().values().flat_map(|of_topic| of_topic.values().cloned()).collect();
            for standing in standings {
                standing.fell_behind();
                standing.arrived.notify_waiters();
            }
        }
    }
}
