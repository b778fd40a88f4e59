//! What every test of this store begins with.

#![expect(clippy::unwrap_used, reason = "a constant of a test that is wrong fails it")]

use std::sync::Arc;

use adapter_embedded::{Embedded, Options};
use ports::clock::SystemClock;
use ports::contract::Backend;

/// A store in a folder of its own, behind every port.
pub async fn backend() -> (Backend, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        dir: dir.path().to_path_buf(),
        clock: Arc::new(SystemClock::start()),
        address_deadline_ms: 60_000,
        secret: Some([7; 32]),
    };
    let store = Arc::new(Embedded::open(options).unwrap());
    let backend = Backend {
        inventory: store.clone(),
        rebuild: store.clone(),
        claims: store.clone(),
        allocations: store.clone(),
        ledger: store.clone(),
        effects: store.clone(),
        terms: store.clone(),
        books: store.clone(),
        sales: store.clone(),
        board: store,
    };
    (backend, dir)
}
