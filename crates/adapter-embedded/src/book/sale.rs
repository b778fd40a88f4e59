//! One sale in memory: its definition, its totals, and when its holds may lapse.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::id::{IdempotencyKey, ProductNo};
use domain::money::{Currency, Money};
use domain::order::{Order, OrderState};
use domain::payment::PaymentStage;
use domain::sale::Sale;
use domain::status::Status;
use domain::time::Timestamp;
use ports::ledger::MoneyTotals;

use super::OrderNo;

/// One sale.
pub(crate) struct SaleBook {
    pub(crate) sale: Sale,
    /// Its orders, as they came.
    pub(crate) numbers: Vec<OrderNo>,
    /// Restocks by key.
    pub(crate) restocks: HashMap<IdempotencyKey, (ProductNo, u32)>,
    /// Grows with everything that moves.
    pub(crate) revision: u64,
    /// By product number: deadlines of its orders.
    pub(crate) deadlines: Vec<BTreeSet<(Timestamp, OrderNo)>>,
    orders: [u64; Status::ALL.len()],
    money_moving: u64,
    money: BTreeMap<Currency, Sums>,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    captured: i64,
    refunded: i64,
    revenue: i64,
}

impl SaleBook {
    pub(crate) fn new(sale: Sale) -> Self {
        let deadlines = vec![BTreeSet::new(); sale.products.len()];
        Self {
            sale,
            numbers: Vec::new(),
            restocks: HashMap::new(),
            revision: 1,
            deadlines,
            orders: [0; Status::ALL.len()],
            money_moving: 0,
            money: BTreeMap::new(),
        }
    }

    pub(crate) fn redefine(&mut self, sale: Sale) {
        self.deadlines.resize(sale.products.len().max(self.deadlines.len()), BTreeSet::new());
        self.sale = sale;
        self.revision += 1;
    }

    /// Orders by status.
    pub(crate) fn orders(&self) -> Vec<(Status, u64)> {
        Status::ALL.into_iter().zip(self.orders).collect()
    }

    /// Orders whose money is on its way.
    pub(crate) const fn money_moving(&self) -> u64 {
        self.money_moving
    }

    /// Money by currency.
    pub(crate) fn money(&self) -> Vec<MoneyTotals> {
        let totals = self.money.iter().map(|(currency, sums)| {
            let money = |minor| Money { minor, currency: *currency };
            MoneyTotals {
                captured: money(sums.captured),
                refunded: money(sums.refunded),
                revenue: money(sums.revenue),
            }
        });
        totals.collect()
    }

    /// The earliest deadline of a product.
    pub(crate) fn next_deadline(&self, product: ProductNo) -> Option<Timestamp> {
        self.deadlines.get(product.index())?.first().map(|(at, _)| *at)
    }

    pub(crate) fn count(&mut self, order: &Order, number: OrderNo) {
        self.revision += 1;
        self.orders[order.status() as usize] += 1;
        self.money_moving += u64::from(order.money_moves());
        self.add_money(order, 1);
        if let (Some(at), Some(queue)) =
            (order.deadline(), self.deadlines.get_mut(order.terms.product.index()))
        {
            queue.insert((at, number));
        }
    }

    pub(crate) fn forget(&mut self, order: &Order, number: OrderNo) {
        self.orders[order.status() as usize] -= 1;
        self.money_moving -= u64::from(order.money_moves());
        self.add_money(order, -1);
        if let (Some(at), Some(queue)) =
            (order.deadline(), self.deadlines.get_mut(order.terms.product.index()))
        {
            queue.remove(&(at, number));
        }
    }

    fn add_money(&mut self, order: &Order, sign: i64) {
        if let Some(payment) = &order.payment {
            let sums = self.money.entry(payment.amount.currency).or_default();
            let minor = sign * payment.amount.minor;
            match payment.stage {
                PaymentStage::Captured => sums.captured += minor,
                PaymentStage::Refunded => {
                    sums.captured += minor;
                    sums.refunded += minor;
                }
                PaymentStage::Authorised | PaymentStage::Voided => {}
            }
        }
        if order.state == OrderState::Confirmed {
            self.money.entry(order.amount.currency).or_default().revenue += sign * order.amount.minor;
        }
    }
}
