//! The processor: makes payment addresses at a controlled rate, so that a herd never becomes the provider's herd.

use domain::order::Work;
use purchase::request_payment::request_payment;

use crate::Crew;
use crate::pool::{Shape, run};

/// How fast the provider may be asked.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Payment addresses in a second at most; 0 where there is no limit.
    pub per_s: f64,
    /// Calls under way at once.
    pub concurrency: usize,
}

/// Makes payment addresses until the crew stops.
pub fn start(crew: &Crew, rate: Rate) {
    let shape =
        Shape { work: Work::Address, concurrency: rate.concurrency, rate_per_s: rate.per_s, tick_ms: 100 };
    crew.spawn(
        "processor",
        run(crew.clone(), shape, |crew: Crew, order| async move {
            request_payment(&crew.stores, &crew.settings, &crew.catalog, &order).await
        }),
    );
}
