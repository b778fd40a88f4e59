//! The treasurer: collects money that was decided, finds units for money that came late, gives back what must not be
//! kept.

use domain::order::Work;
use purchase::capture::capture;
use purchase::late_payment::late_payment;
use purchase::refund::refund;

use crate::Crew;
use crate::pool::{Shape, run};

/// Moves money until the crew stops; `concurrency` calls to the provider of each kind at once.
pub fn start(crew: &Crew, concurrency: usize) {
    let shape = |work| Shape { work, concurrency, rate_per_s: 0.0, tick_ms: 200 };
    crew.spawn(
        "capture",
        run(crew.clone(), shape(Work::Capture), |crew: Crew, order| async move {
            capture(&crew.stores, &crew.settings, &order).await
        }),
    );
    crew.spawn(
        "late payment",
        run(crew.clone(), shape(Work::LatePayment), |crew: Crew, order| async move {
            late_payment(&crew.stores, &crew.catalog, &order).await
        }),
    );
    crew.spawn(
        "refund",
        run(crew.clone(), shape(Work::Refund), |crew: Crew, order| async move {
            refund(&crew.stores, &crew.settings, &order).await
        }),
    );
}
