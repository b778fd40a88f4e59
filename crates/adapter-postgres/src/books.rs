//! Reads for audit, console and export: each at one instant.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use domain::audit::{LedgerUnits, Violation};
use domain::id::{ProductNo, SaleId, ShardId, UserHash};
use domain::money::{Currency, Money};
use domain::order::{Order, OrderState, Reason, Work};
use domain::payment::PaymentStage;
use domain::status::Status;
use domain::time::Timestamp;
use ports::Fault;
use ports::ledger::{Books, MoneyTotals, OrderFilter, SaleTotals};
use tokio_postgres::Row;

use crate::Postgres;
use crate::check::SelfCheck;
use crate::failure::Failure;
use crate::job::{Job, row, rows};
use crate::ledger::bounded;
use crate::rows::{cell, currency, small, state_and_reason};
use crate::{queries, rows, words};

#[async_trait]
impl Books for Postgres {
    async fn units(&self, shard: &ShardId) -> Result<Vec<LedgerUnits>, Fault> {
        self.run(&Units { store: self, shard }).await
    }

    /// The claim log is another store's: claims that wait in it are not counted here.
    async fn totals(&self, sale: &SaleId) -> Result<SaleTotals, Fault> {
        self.refresh_deadlines().await;
        self.run(&Totals { store: self, sale }).await
    }

    async fn orders(
        &self,
        sale: &SaleId,
        filter: &OrderFilter,
        cursor: u64,
        limit: usize,
    ) -> Result<(Vec<Order>, Option<u64>), Fault> {
        let Some(sale) = self.sale_number(sale).await? else { return Ok((Vec::new(), None)) };
        let user = filter.user.as_ref().map(|user| &user.0[..]);
        let states = filter.status.map(states_of);
        let after = i64::try_from(cursor).unwrap_or(i64::MAX);
        // One more than asked for says whether there is more.
        let given: crate::job::Given<'_> =
            &[&sale, &after, &user, &states, &bounded(limit.saturating_add(1))];
        let mut found = self.ask(queries::ORDERS_PAGE, given).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more).map(|row| cell::<i64>(row, "number"));
        let last = last.transpose().map_err(|failure| self.fault(failure))?;
        Ok((self.orders_of(&found).await?, last.map(i64::cast_unsigned)))
    }

    async fn self_check(&self, sale: &SaleId) -> Result<Vec<Violation>, Fault> {
        self.run(&SelfCheck { store: self, sale }).await
    }

    fn next_deadline(&self, sale: &SaleId, product: ProductNo) -> Option<Timestamp> {
        self.deadlines.next(sale, product)
    }
}

/// Every state and reason that a buyer is told as `status`, as the tables write them.
fn states_of(status: Status) -> Vec<String> {
    let reasons = || Reason::ALL.into_iter().map(Some).chain([None]);
    let all = OrderState::ALL.into_iter().flat_map(|state| reasons().map(move |reason| (state, reason)));
    let mine = all.filter(|(state, reason)| Status::of(*state, *reason) == status);
    mine.map(|(state, reason)| format!("{}/{}", words::state(state), reason.map_or("", Reason::as_str)))
        .collect()
}

struct Units<'a> {
    store: &'a Postgres,
    shard: &'a ShardId,
}

#[async_trait]
impl Job for Units<'_> {
    type Answer = Vec<LedgerUnits>;
    const WHOLE_SALE: bool = true;

    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure> {
        let Some(sale) = self.store.numbers.number(inside, &self.shard.sale).await? else {
            return Ok(Vec::new());
        };
        let shard = i32::from(self.shard.number);
        let (mut units, mut limits) = (Vec::new(), Vec::new());
        for row in rows(inside, queries::SLICES, &[&sale, &shard]).await? {
            let stock = small(i64::from(cell::<i32>(&row, "stock")?), "stock")?;
            units.push(LedgerUnits { stock, ..LedgerUnits::default() });
            limits.push(small::<u32>(i64::from(cell::<i16>(&row, "max_per_user")?), "limit")?);
        }
        let mut users: HashMap<(UserHash, ProductNo), u32> = HashMap::new();
        for row in rows(inside, queries::ORDERS_OF_SHARD, &[&sale, &shard, &false]).await? {
            let order = rows::order(&row, self.shard.sale.clone())?;
            let number = order.terms.product;
            let (Some(units), Some(limit)) = (units.get_mut(number.index()), limits.get(number.index()))
            else {
                continue;
            };
            let side = if order.is_sold() { &mut units.sold } else { &mut units.held };
            side.extend(order.units.iter().copied());
            let has = users.entry((order.user, number)).or_default();
            for unit in order.units.iter() {
                *has += 1;
                if *has > *limit {
                    units.over_limit.push(*unit);
                }
            }
        }
        Ok(units)
    }
}

struct Totals<'a> {
    store: &'a Postgres,
    sale: &'a SaleId,
}

#[async_trait]
impl Job for Totals<'_> {
    type Answer = SaleTotals;
    const WHOLE_SALE: bool = true;

    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure> {
        let Some(sale) = self.store.numbers.number(inside, self.sale).await? else {
            return Ok(SaleTotals::default());
        };
        let mut sums = Sums::default();
        for row in rows(inside, queries::TOTALS_ORDERS, &[&sale]).await? {
            sums.add(&row)?;
        }
        let rest = row(inside, queries::TOTALS_REST, &[&sale]).await?;
        let rest = rest.ok_or_else(|| Failure::damaged("the ledger", "its totals do not answer"))?;
        let revision: u64 = small(cell(&rest, "revision")?, "revision")?;
        Ok(SaleTotals {
            orders: Status::ALL.into_iter().zip(sums.orders).collect(),
            money_moving: sums.money_moving,
            money: sums.money(),
            effects_waiting: small(cell(&rest, "effects")?, "count")?,
            revision: revision + sums.versions,
        })
    }
}

/// Totals while they are summed.
#[derive(Default)]
struct Sums {
    orders: [u64; Status::ALL.len()],
    money_moving: u64,
    versions: u64,
    /// Captured, refunded, revenue.
    money: BTreeMap<Currency, [i64; 3]>,
}

impl Sums {
    fn add(&mut self, row: &Row) -> Result<(), Failure> {
        let (state, reason) = state_and_reason(row)?;
        let orders: u64 = small(cell(row, "orders")?, "count")?;
        self.orders[Status::of(state, reason) as usize] += orders;
        self.versions += small::<u64>(cell(row, "versions")?, "sum of versions")?;
        let work = cell::<Option<&str>>(row, "work")?.map(words::read_work).transpose()?;
        if matches!(work, Some(Work::Capture | Work::LatePayment | Work::Refund)) {
            self.money_moving += orders;
        }
        if let (Some(code), Some(stage)) = (cell::<Option<&str>>(row, "payment_currency")?, stage(row)?) {
            let paid = cell::<Option<i64>>(row, "paid")?.unwrap_or_default();
            let sums = self.money.entry(currency(code)?).or_default();
            match stage {
                PaymentStage::Captured => sums[0] += paid,
                PaymentStage::Refunded => {
                    sums[0] += paid;
                    sums[1] += paid;
                }
                PaymentStage::Authorised | PaymentStage::Voided => {}
            }
        }
        if state == OrderState::Confirmed {
            let amount: i64 = cell(row, "amount")?;
            self.money.entry(currency(cell(row, "currency")?)?).or_default()[2] += amount;
        }
        Ok(())
    }

    fn money(&self) -> Vec<MoneyTotals> {
        let totals = self.money.iter().map(|(currency, [captured, refunded, revenue])| {
            let money = |minor: &i64| Money { minor: *minor, currency: *currency };
            MoneyTotals { captured: money(captured), refunded: money(refunded), revenue: money(revenue) }
        });
        totals.collect()
    }
}

fn stage(row: &Row) -> Result<Option<PaymentStage>, Failure> {
    cell::<Option<&str>>(row, "payment_stage")?.map(words::read_stage).transpose()
}
