//! The status board: one hash a shard, a document a ticket, written by version. Losing it loses nothing.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::id::{ShardId, TicketId};
use domain::status::StatusDocument;
use ports::Fault;
use ports::status_board::{Shown, StatusBoard};

use crate::library::{self, Answer, answer, call, number, text};
use crate::{Redis, Shared, status_codec};

/// Documents that one call takes.
const BATCH: usize = 128;
/// Pauses between the looks of one wait, milliseconds; after the last one it returns.
const PAUSES_MS: [u64; 6] = [100, 200, 400, 800, 1_000, 1_000];

#[async_trait]
impl StatusBoard for Redis {
    async fn show(&self, documents: Vec<StatusDocument>) -> Result<(), Fault> {
        let mut boards: HashMap<ShardId, Vec<StatusDocument>> = HashMap::new();
        for document in documents {
            boards.entry(document.stamp.shard.clone()).or_default().push(document);
        }
        for (shard, documents) in boards {
            for batch in documents.chunks(BATCH) {
                self.shared.show(&shard, batch).await?;
            }
        }
        Ok(())
    }

    async fn look(&self, shard: &ShardId, ticket: TicketId) -> Result<Option<Shown>, Fault> {
        self.shared.shown(shard, ticket).await
    }

    fn may_stay_behind(&self) -> bool {
        true
    }

    async fn wait(&self, shard: &ShardId, ticket: TicketId, version: u32) {
        for pause in PAUSES_MS {
            match self.shared.shown(shard, ticket).await {
                Ok(shown) if shown.as_ref().is_none_or(|shown| shown.document.version <= version) => {}
                // It is newer, or the board is away: whoever waits looks and sees.
                Ok(_) | Err(_) => return,
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
}

impl Shared {
    async fn show(&self, shard: &ShardId, documents: &[StatusDocument]) -> Result<(), Fault> {
        let mut command = call("tz_show", &[self.keys.board(shard)]);
        for document in documents {
            command.arg(&document.stamp.ticket.0[..]).arg(status_codec::encode(document)?);
        }
        match answer(self.client.send(&command).await)? {
            Answer::Done(_) => Ok(()),
            Answer::Fenced(_) => Err(lacking()),
        }
    }

    async fn shown(&self, shard: &ShardId, ticket: TicketId) -> Result<Option<Shown>, Fault> {
        let mut command = call("tz_look", &[self.keys.board(shard)]);
        command.arg(&ticket.0[..]);
        match answer(self.client.send(&command).await)? {
            Answer::Done(values) => {
                let [document, doubted] = values.as_slice() else { return Ok(None) };
                let document = status_codec::decode(shard, ticket, text(document))?;
                Ok(Some(Shown { document, doubted: number(doubted) != Some(0) }))
            }
            Answer::Fenced(_) => Err(lacking()),
        }
    }
}

fn lacking() -> Fault {
    Fault::unavailable(library::WHAT, "a primary lacks the function library")
}
