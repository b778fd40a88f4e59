//! A payment provider of its own: HTTP API in Stripe's form, hosted pages, a ledger of money, signed webhooks, and faults
//! on demand. No money moves.
//!
//! It is a foreign party: it knows nothing of sales, has its own file, and is reached only over HTTP, also when it runs in
//! the same process as its client.

mod api;
mod bank;
mod clock;
mod faults;
mod form;
mod pages;
mod store;
mod webhooks;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use tokio_util::sync::CancellationToken;

pub use faults::Faults;

use crate::faults::Chances;
use crate::store::Store;

/// How the provider is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its file.
    pub file: PathBuf,
    /// The key that clients of the API send.
    pub secret_key: String,
    /// The secret under which webhooks are signed.
    pub webhook_secret: String,
    /// Where webhooks go.
    pub webhook_url: String,
    /// Where its pages are, without a slash at the end: `{public_url}/pay/{session}`.
    pub public_url: String,
    /// What goes wrong.
    pub faults: Faults,
}

/// Why the provider cannot start.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox provider: {0}")]
pub struct SandboxError(pub String);

/// The provider.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    chances: Chances,
    options: Options,
    changed: tokio::sync::Notify,
}

impl Sandbox {
    /// Opens the provider's file.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn open(options: Options) -> Result<Self, SandboxError> {
        let store = Store::open(&options.file)?;
        let chances = Chances::new(options.faults);
        let changed = tokio::sync::Notify::new();
        Ok(Self { inner: Arc::new(Inner { store, chances, options, changed }) })
    }

    /// The API: `/v1/…`, and for those who watch it `/ledger` and `/faults`.
    pub fn api(&self) -> Router {
        api::routes(Arc::clone(&self.inner))
    }

    /// The pages on which buyers pay: `/pay/{session}`.
    pub fn pages(&self) -> Router {
        pages::routes(Arc::clone(&self.inner))
    }

    /// Delivers webhooks until told to stop; what is not delivered then is delivered after the next start.
    pub async fn deliver(&self, stop: CancellationToken) {
        webhooks::deliver(&self.inner, stop).await;
    }

    /// Closes the file. Later calls are answered with an error.
    pub async fn close(&self) {
        self.inner.store.close().await;
    }
}
