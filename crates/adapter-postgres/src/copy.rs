//! New orders and units as rows of COPY: the server takes a batch in a third of the time that it needs for arrays of
//! columns, which it first takes apart and puts together again, row by row.

use std::pin::Pin;
use std::time::SystemTime;

use deadpool_postgres::Transaction;
use domain::order::Order;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;

use crate::columns::all_written;
use crate::failure::Failure;
use crate::job::Given;
use crate::rows::instant;
use crate::{queries, words};

/// Rows on their way into a table. What is dropped before its end is undone with its transaction.
pub(crate) struct Copy(Pin<Box<BinaryCopyInWriter>>);

impl Copy {
    /// Begins; `query` is a COPY of columns of these types.
    pub(crate) async fn begin(
        inside: &Transaction<'_>,
        query: &str,
        types: &[Type],
    ) -> Result<Self, Failure> {
        let statement = inside.prepare_cached(query).await?;
        let sink = inside.copy_in(&statement).await?;
        Ok(Self(Box::pin(BinaryCopyInWriter::new(sink, types))))
    }

    /// One row.
    pub(crate) async fn row(&mut self, values: Given<'_>) -> Result<(), Failure> {
        Ok(self.0.as_mut().write(values).await?)
    }

    /// Ends; how many rows were written.
    pub(crate) async fn end(mut self) -> Result<u64, Failure> {
        Ok(self.0.as_mut().finish().await?)
    }
}

const ORDER: &[Type] = &[
    Type::BYTEA,
    Type::INT4,
    Type::INT4,
    Type::INT8,
    Type::TIMESTAMPTZ,
    Type::BYTEA,
    Type::TEXT,
    Type::INT4,
    Type::INT2,
    Type::INT8,
    Type::TEXT,
    Type::BYTEA,
    Type::INT4_ARRAY,
    Type::BOOL,
    Type::TEXT,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::INT8,
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
];

/// New orders of one shard.
pub(crate) async fn insert_orders(
    inside: &Transaction<'_>,
    sale: i32,
    shard: u16,
    orders: &[Order],
) -> Result<(), Failure> {
    if orders.is_empty() {
        return Ok(());
    }
    let mut copy = Copy::begin(inside, queries::ORDERS_INSERT, ORDER).await?;
    let shard = i32::from(shard);
    for order in orders {
        let units: Vec<i32> = order.units.iter().map(|unit| unit.cast_signed()).collect();
        let (allocated, address) = (instant(order.allocated_at), instant(order.address_deadline));
        let (changed, work) = (instant(order.changed_at), order.work().map(words::work));
        let work_due: Option<SystemTime> = work.map(|_| changed);
        copy.row(&[
            &&order.ticket.0[..],
            &sale,
            &shard,
            &i64::from(order.epoch.0),
            &instant(order.issued_at),
            &&order.user.0[..],
            &order.user_id.as_str(),
            &i32::from(order.terms.product.0),
            &i16::from(order.terms.quantity),
            &order.amount.minor,
            &order.amount.currency.code(),
            &&order.claim.0[..],
            &units,
            &order.live,
            &words::state(order.state),
            &order.reason.map(|why| why.as_str()),
            &allocated,
            &address,
            &changed,
            &i64::from(order.version),
            &work,
            &work_due,
            &order.deadline().map(instant),
        ])
        .await?;
    }
    all_written(copy.end().await?, orders.len())
}

const UNIT: &[Type] =
    &[Type::BYTEA, Type::INT8, Type::INT4, Type::INT4, Type::INT4, Type::BYTEA, Type::INT2, Type::BOOL];

/// A unit that an order owns from now on.
struct OwnedUnit<'a> {
    sale: i32,
    order: &'a Order,
    since: u32,
    unit: u32,
    place: i16,
}

/// Units that orders own from now on.
#[derive(Default)]
pub(crate) struct OwnedUnits<'a>(Vec<OwnedUnit<'a>>);

impl<'a> OwnedUnits<'a> {
    /// The units that an order owns since a version of it, each with its place in the buyer's limit.
    pub(crate) fn push(&mut self, sale: i32, order: &'a Order, since: u32, places: &[i16]) {
        let owned = order.units.iter().zip(places);
        self.0.extend(owned.map(|(&unit, &place)| OwnedUnit { sale, order, since, unit, place }));
    }

    /// Writes them.
    pub(crate) async fn insert(&self, inside: &Transaction<'_>) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut copy = Copy::begin(inside, queries::UNITS_INSERT, UNIT).await?;
        for OwnedUnit { sale, order, since, unit, place } in &self.0 {
            copy.row(&[
                &&order.ticket.0[..],
                &i64::from(*since),
                sale,
                &i32::from(order.terms.product.0),
                &unit.cast_signed(),
                &&order.user.0[..],
                place,
                &true,
            ])
            .await?;
        }
        copy.end().await.map(drop)
    }
}
