//! Reads for audit, console and export.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::audit::{LedgerUnits, Violation};
use domain::id::{ProductNo, SaleId, ShardId, UserHash};
use domain::order::Order;
use domain::time::Timestamp;
use ports::Fault;
use ports::ledger::{Books, OrderFilter, SaleTotals};

use crate::Embedded;
use crate::compare;
use crate::core::Core;

#[async_trait]
impl Books for Embedded {
    async fn units(&self, shard: &ShardId) -> Result<Vec<LedgerUnits>, Fault> {
        let shard = shard.clone();
        self.call(move |core| units(core, &shard)).await
    }

    async fn totals(&self, sale: &SaleId) -> Result<SaleTotals, Fault> {
        let sale = sale.clone();
        self.call(move |core| {
            let Some(book) = core.book.sales.get(&sale) else { return SaleTotals::default() };
            let shards = (0..book.sale.shards).map(|number| ShardId { sale: sale.clone(), number });
            let shards: Vec<_> = shards.filter_map(|shard| core.book.shards.get(&shard)).collect();
            SaleTotals {
                orders: book.orders(),
                money_moving: book.money_moving(),
                money: book.money(),
                effects_waiting: shards.iter().map(|shard| shard.effects.len() as u64).sum(),
                revision: book.revision,
            }
        })
        .await
    }

    async fn orders(
        &self,
        sale: &SaleId,
        filter: &OrderFilter,
        cursor: u64,
        limit: usize,
    ) -> Result<(Vec<Order>, Option<u64>), Fault> {
        let (sale, filter) = (sale.clone(), filter.clone());
        self.call(move |core| orders(core, &sale, &filter, cursor, limit)).await
    }

    async fn self_check(&self, sale: &SaleId) -> Result<Vec<Violation>, Fault> {
        let sale = sale.clone();
        self.call(move |core| {
            let unreadable = |error: rusqlite::Error| Fault::unavailable("the store", error);
            if let Some(journal) = &mut core.journal
                && journal.meddled().map_err(unreadable)?
            {
                core.findings = compare::run(journal.connection(), &core.book).map_err(unreadable)?;
                if let Some(entry) = journal.damaged(core.seq - 1).map_err(unreadable)? {
                    core.findings.damaged(entry);
                }
                core.findings.log();
            }
            Ok(core.findings.of(&sale, &core.book))
        })
        .await?
    }

    fn next_deadline(&self, sale: &SaleId, product: ProductNo) -> Option<Timestamp> {
        let cell = self.shared.known(&ShardId { sale: sale.clone(), number: 0 })?;
        cell.views.load().get(product.index())?.next_release_at
    }
}

fn units(core: &Core, shard: &ShardId) -> Vec<LedgerUnits> {
    let Some(sale) = core.book.sales.get(&shard.sale) else { return Vec::new() };
    let mut units: Vec<LedgerUnits> = sale
        .sale
        .products
        .iter()
        .map(|product| LedgerUnits { stock: product.stock, ..LedgerUnits::default() })
        .collect();
    let mut users: HashMap<(UserHash, ProductNo), u32> = HashMap::new();
    for order in core.book.orders_of(shard) {
        let number = order.terms.product;
        let (true, Some(units), Some(product)) =
            (order.live, units.get_mut(number.index()), sale.sale.products.get(number.index()))
        else {
            continue;
        };
        let side = if order.is_sold() { &mut units.sold } else { &mut units.held };
        side.extend(order.units.iter().copied());
        let has = users.entry((order.user, number)).or_default();
        for unit in order.units.iter() {
            *has += 1;
            if *has > u32::from(product.max_per_user) {
                units.over_limit.push(*unit);
            }
        }
    }
    units
}

fn orders(
    core: &Core,
    sale: &SaleId,
    filter: &OrderFilter,
    cursor: u64,
    limit: usize,
) -> (Vec<Order>, Option<u64>) {
    let Some(sale) = core.book.sales.get(sale) else { return (Vec::new(), None) };
    let mut found = Vec::new();
    for (at, number) in sale.numbers.iter().enumerate().skip(cursor as usize) {
        let order =
            core.book.orders.at(*number).map(|entry| &entry.order).filter(|order| filter.takes(order));
        if let Some(order) = order {
            if found.len() == limit {
                return (found, Some(at as u64));
            }
            found.push(order.clone());
        }
    }
    (found, None)
}
