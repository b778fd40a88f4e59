//! What was counted.

use std::fmt;

macro_rules! figures {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Counts of one walk, or of many together.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Figures {
            $($(#[doc = $doc])+ pub $name: u64,)+
        }

        impl Figures {
            /// Adds the counts of another walk.
            pub fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)+
            }
        }

        impl fmt::Display for Figures {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(writeln!(f, "{:<22}{}", stringify!($name).replace('_', " "), self.$name)?;)+
                Ok(())
            }
        }
    };
}

figures! {
    /// Walks that came to their end.
    walks,
    /// Steps before the drain, each followed by every check.
    steps,
    /// Replicas promoted, the old primary gone.
    failovers,
    /// Replicas promoted, the old primary going on.
    isolations,
    /// Primaries that came back with their data.
    restarts,
    /// Primaries that came back with older data.
    truncations,
    /// Shards that lost everything.
    losses,
    /// Renewals that opened a shard.
    renewals,
    /// Renewals that joined one under way.
    joined,
    /// Epochs burnt: an open that was not answered with OK.
    burnt,
    /// Processes killed.
    kills,
    /// Messages lost, answers lost, messages that came again.
    lost,
    /// Calls whose answer was lost.
    unanswered,
    /// Messages delivered once more, late.
    repeated,
    /// Transactions of readers that were too late.
    readers_late,
    /// Tickets given with a 202, each counted once.
    tickets,
    /// 202s that were sent again for the same ticket.
    replays,
    /// Buyers told that they have reached their limit, with a ticket.
    limit_answers,
    /// Of these, tickets whose claim was on no record at that moment.
    limit_unrecorded,
    /// Of these, tickets that the ledger does not know at the end.
    limit_lost,
    /// Of these, tickets that the ledger has with another stamp at the end.
    limit_changed,
    /// Checkouts refused since their key was used with other terms.
    keys_reused,
    /// Answers that everything is sold.
    sold_out,
    /// Claims taken in.
    allocated,
    /// Claims refused as stale.
    stale,
    /// Of these, with a ticket given.
    stale_ticketed,
    /// Valid claims that came after a stale twin of the same ticket.
    shadowed,
    /// Orders confirmed, late ones included.
    confirmed,
    /// Of these, by late money.
    late,
    /// Late units that the ledger did not take.
    late_refused,
    /// Late claims that a relay gave back.
    late_swept,
    /// Orders that ended unpaid.
    ended,
    /// Orders refunded.
    refunded,
    /// Effects applied by an inventory.
    effects,
    /// Units added to stock.
    restocked,
}
