//! Audit: proves at any moment that no unit was sold twice and none is lost.
//!
//! Ledger and inventory are read at a *quiet cut*: nothing waits between them, and nothing moved while they were read.
//! Money is compared where none is on its way.

use std::time::Duration;

use domain::audit::{LedgerUnits, ProductAudit, Violation, ViolationKind, compare};
use domain::id::{ProductId, ShardId};
use domain::inventory::InventoryUnits;
use domain::sale::Sale;
use domain::time::Timestamp;
use domain::unit_set::UnitSet;
use ports::Fault;
use ports::ledger::MoneyTotals;

use crate::stores::Stores;
use crate::totals::{Totals, totals};

/// How long a quiet cut is looked for, milliseconds. From the HTTP contract.
pub const PATIENCE_MS: u64 = 2_000;
const PAUSE: Duration = Duration::from_millis(20);

/// The audit of a sale.
#[derive(Clone, Debug)]
pub struct SaleAudit {
    /// Nothing is wrong; while settling, nothing that the ledger alone can tell.
    pub ok: bool,
    /// No quiet cut was found: both sides were read while things moved.
    pub settling: bool,
    /// By product.
    pub products: Vec<(ProductId, ProductAudit)>,
    /// Whether every shard was open.
    pub open: bool,
    /// Findings that belong to no product.
    pub violations: Vec<Violation>,
    /// The ledger's totals, and what is on its way into it.
    pub totals: Totals,
}

struct Cut {
    quiet: bool,
    totals: Totals,
    ledger: Vec<Vec<LedgerUnits>>,
    inventory: Vec<Option<Vec<InventoryUnits>>>,
}

/// Audits a sale.
///
/// # Errors
/// A fault of ledger or inventory.
pub async fn audit(stores: &Stores, sale: &Sale) -> Result<SaleAudit, Fault> {
    let started = stores.clock.elapsed();
    let mut best: Option<Cut> = None;
    loop {
        let cut = cut(stores, sale).await?;
        let settled = cut.quiet && cut.totals.money_moving == 0;
        if cut.quiet || best.as_ref().is_none_or(|best| !best.quiet) {
            best = Some(cut);
        }
        let waited = stores.clock.elapsed().saturating_sub(started);
        if (settled || waited >= Duration::from_millis(PATIENCE_MS))
            && let Some(best) = best.take()
        {
            let own = stores.books.self_check(&sale.sale_id).await?;
            return Ok(judge(sale, best, own));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn cut(stores: &Stores, sale: &Sale) -> Result<Cut, Fault> {
    let before = totals(stores, sale).await?;
    let (mut ledger, mut inventory) = (Vec::new(), Vec::new());
    for number in 0..sale.shards {
        let shard = ShardId { sale: sale.sale_id.clone(), number };
        inventory.push(stores.inventory.units(&shard).await?);
        ledger.push(stores.books.units(&shard).await?);
    }
    let unpinned = holds_unknown_claims(stores, sale).await?;
    let after = totals(stores, sale).await?;
    let idle = |totals: &Totals| totals.claims_waiting == 0 && totals.effects_waiting == 0;
    let quiet = !unpinned && idle(&before) && idle(&after) && before.revision == after.revision;
    Ok(Cut { quiet, totals: after, ledger, inventory })
}

/// Whether an inventory holds claims that the ledger has not acknowledged: they are between the two, wherever their event is.
async fn holds_unknown_claims(stores: &Stores, sale: &Sale) -> Result<bool, Fault> {
    for number in 0..sale.shards {
        let shard = ShardId { sale: sale.sale_id.clone(), number };
        match stores.inventory.unpinned(&shard, Timestamp::MAX, 1).await {
            Ok(claims) if claims.is_empty() => {}
            Ok(_) => return Ok(true),
            // A closed shard hands nothing out, and is compared with nothing.
            Err(Fault::Closed(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(false)
}

fn judge(sale: &Sale, cut: Cut, mut violations: Vec<Violation>) -> SaleAudit {
    let open = cut.inventory.iter().all(Option::is_some);
    let mut products = Vec::new();
    for (at, product) in sale.products.iter().enumerate() {
        let mut audit = ProductAudit::default();
        for (ledger, inventory) in cut.ledger.iter().zip(&cut.inventory) {
            let Some(ledger) = ledger.get(at) else { continue };
            add(&mut audit, compare(ledger, inventory.as_ref().and_then(|units| units.get(at))));
        }
        if !cut.quiet {
            audit.violations.retain(|violation| is_certain(violation.kind));
        }
        products.push((product.product_id.clone(), audit));
    }
    // The sums agree only while no money is on its way: a provider that is away must not blind the rest of the audit.
    if cut.quiet && cut.totals.money_moving == 0 {
        violations.extend(cut.totals.money.iter().filter_map(money_violation));
    }
    let ok = violations.is_empty() && products.iter().all(|(_, audit)| audit.violations.is_empty());
    SaleAudit { ok, settling: !cut.quiet, products, open, violations, totals: cut.totals }
}

/// What the ledger alone proves wrong, whatever moves meanwhile.
const fn is_certain(kind: ViolationKind) -> bool {
    matches!(kind, ViolationKind::SoldTwice | ViolationKind::OutOfStock | ViolationKind::OverLimit)
}

fn add(sum: &mut ProductAudit, shard: ProductAudit) {
    sum.stock += shard.stock;
    sum.available += shard.available;
    sum.held += shard.held;
    sum.sold += shard.sold;
    sum.in_transfer += shard.in_transfer;
    sum.oversold += shard.oversold;
    sum.violations.extend(shard.violations);
}

fn money_violation(totals: &MoneyTotals) -> Option<Violation> {
    let kept = totals.captured.minor - totals.refunded.minor;
    (kept != totals.revenue.minor).then(|| Violation {
        kind: ViolationKind::Money,
        units: UnitSet::new(),
        detail: format!(
            "captured {} less refunded {} is not the revenue {}",
            totals.captured, totals.refunded, totals.revenue
        ),
    })
}
