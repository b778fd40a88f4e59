//! Orders that change and steps as columns: one array for each column, one statement for all rows.

use std::time::SystemTime;

use deadpool_postgres::Transaction;
use domain::order::Order;

use crate::failure::Failure;
use crate::job::write;
use crate::rows::instant;
use crate::{queries, words};

/// Orders as they are from now on.
pub(crate) async fn update_orders(inside: &Transaction<'_>, orders: &[&Order]) -> Result<(), Failure> {
    if orders.is_empty() {
        return Ok(());
    }
    let session = |order: &&Order| order.session.as_ref().map(|session| session.session.clone());
    let url = |order: &&Order| order.session.as_ref().map(|session| session.url.clone());
    let paid = |order: &&Order| order.payment.clone();
    let tickets: Vec<&[u8]> = orders.iter().map(|order| &order.ticket.0[..]).collect();
    let live: Vec<bool> = orders.iter().map(|order| order.live).collect();
    let states: Vec<&str> = orders.iter().map(|order| words::state(order.state)).collect();
    let reasons: Vec<Option<&str>> =
        orders.iter().map(|order| order.reason.map(|why| why.as_str())).collect();
    let expires: Vec<Option<SystemTime>> = orders.iter().map(|order| order.expires_at.map(instant)).collect();
    let extended: Vec<bool> = orders.iter().map(|order| order.extended).collect();
    let sessions: Vec<Option<String>> = orders.iter().map(session).collect();
    let urls: Vec<Option<String>> = orders.iter().map(url).collect();
    let payments: Vec<_> = orders.iter().map(paid).collect();
    let payment_ids: Vec<Option<&str>> =
        payments.iter().map(|paid| paid.as_ref().map(|paid| paid.payment.as_str())).collect();
    let minor: Vec<Option<i64>> =
        payments.iter().map(|paid| paid.as_ref().map(|paid| paid.amount.minor)).collect();
    let currencies: Vec<Option<&str>> =
        payments.iter().map(|paid| paid.as_ref().map(|paid| paid.amount.currency.code())).collect();
    let stages: Vec<Option<&str>> =
        payments.iter().map(|paid| paid.as_ref().map(|paid| words::stage(paid.stage))).collect();
    let attempts: Vec<i32> = orders.iter().map(|order| i32::from(order.late_attempts)).collect();
    let changed: Vec<SystemTime> = orders.iter().map(|order| instant(order.changed_at)).collect();
    let versions: Vec<i64> = orders.iter().map(|order| i64::from(order.version)).collect();
    let work: Vec<Option<&str>> = orders.iter().map(|order| order.work().map(words::work)).collect();
    let deadlines: Vec<Option<SystemTime>> =
        orders.iter().map(|order| order.deadline().map(instant)).collect();
    let given: crate::job::Given<'_> = &[
        &tickets,
        &live,
        &states,
        &reasons,
        &expires,
        &extended,
        &sessions,
        &urls,
        &payment_ids,
        &minor,
        &currencies,
        &stages,
        &attempts,
        &changed,
        &versions,
        &work,
        &deadlines,
    ];
    all_written(write(inside, queries::ORDERS_UPDATE, given).await?, orders.len())
}

/// The claim and the units of an order for which late money has taken others; before the order itself is written.
pub(crate) async fn retake(inside: &Transaction<'_>, order: &Order) -> Result<(), Failure> {
    let units: Vec<i32> = order.units.iter().map(|unit| unit.cast_signed()).collect();
    let given: crate::job::Given<'_> = &[&&order.ticket.0[..], &&order.claim.0[..], &units];
    all_written(write(inside, queries::ORDERS_RETAKE, given).await?, 1)
}

pub(crate) fn all_written(written: u64, wanted: usize) -> Result<(), Failure> {
    if written == wanted as u64 {
        return Ok(());
    }
    Err(Failure::damaged("the ledger", format!("{written} of {wanted} orders were written")))
}

/// The step of a story that each of these orders, as it was then, is.
pub(crate) async fn insert_steps(inside: &Transaction<'_>, steps: &[Order]) -> Result<(), Failure> {
    if steps.is_empty() {
        return Ok(());
    }
    let tickets: Vec<&[u8]> = steps.iter().map(|order| &order.ticket.0[..]).collect();
    let versions: Vec<i64> = steps.iter().map(|order| i64::from(order.version)).collect();
    let times: Vec<SystemTime> = steps.iter().map(|order| instant(order.changed_at)).collect();
    let states: Vec<&str> = steps.iter().map(|order| words::state(order.state)).collect();
    let reasons: Vec<Option<&str>> = steps.iter().map(|order| order.reason.map(|why| why.as_str())).collect();
    let given: crate::job::Given<'_> = &[&tickets, &versions, &times, &states, &reasons];
    write(inside, queries::STEPS_INSERT, given).await.map(drop)
}
