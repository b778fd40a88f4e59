//! Why this database cannot be worked with, and what to do.

use ports::Fault;

/// Why this database cannot be worked with, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It does not answer, or not as a ledger does.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Its schema is of a version before this one.
    #[error(
        "the ledger's schema is of an earlier version than this program: {done} of {all} steps are done; `tzero migrate`, as the \
         owner of its tables, does the others"
    )]
    Earlier {
        /// Steps that were done.
        done: usize,
        /// Steps of this version.
        all: usize,
    },
    /// Its schema is of a version after this one.
    #[error(
        "the ledger's schema is of a later version than this program: it has step {step}, which this one does not know; start that \
         version here, since no schema goes back"
    )]
    Later {
        /// The first step that this version does not have.
        step: String,
    },
    /// Its schema is not ours.
    #[error(
        "the ledger's schema was not made by this program: its step {found} is not the step {step} of this version; name another \
         database in postgres.url, or use the program that made this one"
    )]
    Foreign {
        /// The step that is there.
        found: String,
        /// The step that this version has in its place.
        step: &'static str,
    },
    /// It belongs to another secret.
    #[error(
        "the ledger belongs to another data.secret: every process of a fleet needs the same. Under another one every ticket would be \
         unknown, and a buyer could buy again. Give this process the secret of the others, or a database of its own"
    )]
    OtherSecret,
    /// It belongs to another fleet.
    #[error(
        "the ledger belongs to {theirs}, and fleet.name makes this process part of {ours}: every process of a fleet needs the same \
         name, and another fleet a database of its own"
    )]
    OtherFleet {
        /// Whose it is.
        theirs: String,
        /// Whose this process is.
        ours: String,
    },
    /// The server denies a right.
    #[error(
        "the ledger refuses this user: {said}. The owner of its tables makes them, and brings them up to date, with `tzero migrate`; \
         every other user needs the group of each of its process's roles, such as `GRANT tzero_gateway TO …`"
    )]
    Denied {
        /// The database and its words.
        said: String,
    },
    /// Nothing can be written there.
    #[error(
        "the ledger in {name} takes no writes. Name the primary in postgres.url and not a standby, and let \
         default_transaction_read_only be off for this user and database"
    )]
    ReadOnly {
        /// The database.
        name: String,
    },
    /// The user lacks what the role of its process needs.
    #[error(
        "the ledger's user {user} has not the rights of {group}, which this process needs: {lacked} is missing; \
         `GRANT {group} TO {user}` gives them"
    )]
    Lacks {
        /// Who.
        user: String,
        /// The group of the role.
        group: String,
        /// The first right that is missing.
        lacked: String,
    },
}
