//! Where the tasks of a connection run: in a tracker, so that their end can be waited for.

use std::future::Future;

use tokio_util::task::TaskTracker;

/// An executor for the HTTP library.
#[derive(Clone, Debug)]
pub(crate) struct Crew(pub(crate) TaskTracker);

impl<F> hyper::rt::Executor<F> for Crew
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}
