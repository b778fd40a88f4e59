//! Each guard by itself: without it, the test of its name fails. And the audit names what is wrong.

#![expect(clippy::unwrap_used, reason = "a constant of a test that is wrong fails it")]

use domain::allocation::{Allocation, Facts, decide};
use domain::audit::{LedgerUnits, ViolationKind, compare};
use domain::fence::{Position, Term, TermState};
use domain::few::Few;
use domain::hold::{Claim, Effect, EffectKind, HoldOutcome, HoldRequest, Intent, Settled, Terms, Units};
use domain::id::{Epoch, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId};
use domain::inventory::{InventoryUnits, Shard};
use domain::order::Reason;
use domain::snapshot::ProductSnapshot;
use domain::time::Timestamp;
use domain::unit_set::UnitSet;

const NOW: Timestamp = Timestamp::EPOCH;

fn shard(stock: u32) -> Shard {
    Shard::new(Epoch(1), &[ProductSnapshot { stock, free: UnitSet::whole(stock) }])
}

fn request(claim: u8, user: u8, quantity: u8, limit: u8) -> HoldRequest {
    HoldRequest {
        claim: TicketId([claim; 16]),
        ticket: TicketId([claim; 16]),
        user: UserHash([user; 16]),
        user_id: UserId::parse("ann").unwrap(),
        terms: Terms { product: ProductNo(0), quantity },
        limit,
        intent: Intent::Take,
    }
}

fn held(shard: &mut Shard, request: &HoldRequest) -> Units {
    match shard.hold(request, NOW, 0, true) {
        HoldOutcome::Held { grant, .. } => grant.units,
        other => panic!("{other:?}"),
    }
}

fn effect(kind: EffectKind, claim: u8, units: &Units) -> Effect {
    Effect { kind, product: ProductNo(0), claim: TicketId([claim; 16]), units: units.clone() }
}

#[test]
fn guard_limit() {
    let mut shard = shard(10);
    held(&mut shard, &request(1, 1, 2, 3));
    let over = shard.hold(&request(2, 1, 2, 3), NOW, 0, true);
    assert!(
        matches!(over, HoldOutcome::LimitReached { newest, .. } if newest == TicketId([1; 16])),
        "{over:?}"
    );
    held(&mut shard, &request(3, 1, 1, 3));
    held(&mut shard, &request(4, 2, 2, 3));
}

#[test]
fn guard_fingerprint() {
    let mut shard = shard(10);
    held(&mut shard, &request(1, 1, 1, 9));
    assert_eq!(shard.hold(&request(1, 1, 2, 9), NOW, 0, true), HoldOutcome::KeyReused);
    assert_eq!(
        shard.hold(&request(1, 2, 1, 9), NOW, 0, true),
        HoldOutcome::KeyReused,
        "somebody else's claim"
    );
    assert!(matches!(shard.hold(&request(1, 1, 1, 9), NOW, 0, true), HoldOutcome::Replayed { .. }));
}

#[test]
fn guard_presence_match() {
    let mut shard = shard(10);
    let mine = held(&mut shard, &request(1, 1, 1, 9));
    let other = held(&mut shard, &request(2, 2, 1, 9));
    assert_eq!(shard.settle(&effect(EffectKind::Release, 1, &other)), Settled::NoOp, "other units");
    assert_eq!(shard.settle(&effect(EffectKind::Release, 3, &mine)), Settled::NoOp, "another claim");
    assert_eq!(shard.settle(&effect(EffectKind::Return, 1, &mine)), Settled::NoOp, "not sold");
    assert_eq!(shard.settle(&effect(EffectKind::Confirm, 1, &mine)), Settled::Applied);
    assert_eq!(shard.settle(&effect(EffectKind::Release, 1, &mine)), Settled::NoOp, "sold");
    assert_eq!(shard.settle(&effect(EffectKind::Pin, 2, &other)), Settled::Applied);
    assert_eq!(shard.settle(&effect(EffectKind::Pin, 2, &other)), Settled::NoOp, "once");
    let view = shard.view(ProductNo(0)).unwrap();
    assert_eq!((view.available, view.held, view.sold), (8, 1, 1));
}

#[test]
fn guard_restock_follows_the_last_unit() {
    let mut shard = shard(5);
    let units = |from: u32, to: u32| [from, to].into_iter().collect::<Units>();
    assert_eq!(shard.settle(&effect(EffectKind::Restock, 0, &units(5, 8))), Settled::Applied);
    assert_eq!(shard.settle(&effect(EffectKind::Restock, 0, &units(5, 8))), Settled::NoOp, "once");
    assert_eq!(shard.settle(&effect(EffectKind::Restock, 0, &units(9, 12))), Settled::NoOp, "no hole");
    assert_eq!(shard.view(ProductNo(0)).unwrap().stock, 8);
}

fn claim(epoch: u32, units: &[u32]) -> Claim {
    Claim {
        ticket: TicketId([1; 16]),
        shard: ShardId { sale: SaleId::parse("s").unwrap(), number: 0 },
        epoch: Epoch(epoch),
        issued_at: NOW,
        user: UserHash([1; 16]),
        user_id: UserId::parse("ann").unwrap(),
        terms: Terms { product: ProductNo(0), quantity: 1 },
        units: units.iter().copied().collect(),
    }
}

fn facts(term: Term) -> Facts<'static> {
    Facts { term, position: Position(3), known: None, stock: 10, taken: false, user_units: 0, limit: 1 }
}

const OPEN: Term = Term { epoch: Epoch(2), state: TermState::Open, fence: Some(Position(5)) };

#[test]
fn guards_of_allocation() {
    let decided = |claim: Claim, facts: Facts<'_>| {
        let (allocation, effect) = decide(&claim, &facts);
        (allocation, effect.kind)
    };
    let rejected = |reason| (Allocation::Rejected(reason), EffectKind::Release);
    assert_eq!(decided(claim(2, &[7]), facts(OPEN)), (Allocation::Allocated, EffectKind::Pin));
    assert_eq!(decided(claim(2, &[7]), Facts { taken: true, ..facts(OPEN) }), rejected(Reason::SoldOut));
    assert_eq!(decided(claim(2, &[10]), facts(OPEN)), rejected(Reason::SoldOut), "beyond the stock");
    assert_eq!(decided(claim(2, &[]), facts(OPEN)), rejected(Reason::SoldOut), "not whole");
    assert_eq!(
        decided(claim(2, &[7]), Facts { user_units: 1, ..facts(OPEN) }),
        rejected(Reason::LimitReached)
    );
    assert_eq!(decided(claim(1, &[7]), facts(OPEN)).0, Allocation::Allocated, "before the fence");
    let after = Facts { position: Position(5), ..facts(OPEN) };
    assert_eq!(decided(claim(1, &[7]), after), rejected(Reason::StoreFailover));
    assert_eq!(decided(claim(0, &[7]), facts(OPEN)), rejected(Reason::StoreFailover), "two epochs ago");
    assert_eq!(decided(claim(3, &[7]), facts(OPEN)), rejected(Reason::StoreFailover), "from the future");
    let (mine, other): (Units, Units) = (Few::One(7), Few::One(8));
    let known = |live, units| Facts { known: Some((live, units)), ..facts(OPEN) };
    assert_eq!(decided(claim(2, &[7]), known(true, &mine)), (Allocation::Known, EffectKind::Pin));
    assert_eq!(decided(claim(2, &[7]), known(true, &other)), (Allocation::Known, EffectKind::Release));
    assert_eq!(decided(claim(2, &[7]), known(false, &mine)), (Allocation::Known, EffectKind::Release));
}

fn sides() -> (LedgerUnits, InventoryUnits) {
    let ledger = LedgerUnits { stock: 4, held: vec![1], sold: vec![2], over_limit: vec![] };
    let inventory =
        InventoryUnits { stock: 4, free: vec![0..1, 3..4], held: vec![1], sold: vec![2], counted: [2, 1, 1] };
    (ledger, inventory)
}

fn found(edit: impl FnOnce(&mut LedgerUnits, &mut InventoryUnits)) -> Vec<(ViolationKind, Vec<u32>)> {
    let (mut ledger, mut inventory) = sides();
    edit(&mut ledger, &mut inventory);
    let audit = compare(&ledger, Some(&inventory));
    audit.violations.into_iter().map(|violation| (violation.kind, violation.units.iter().collect())).collect()
}

#[test]
fn the_audit_names_the_unit() {
    use ViolationKind as V;
    assert_eq!(found(|_, _| {}), vec![]);
    let has = |found: Vec<(V, Vec<u32>)>, kind: V, units: &[u32]| {
        assert!(found.contains(&(kind, units.to_vec())), "{kind:?} {units:?} in {found:?}");
    };
    has(found(|ledger, _| ledger.held.push(2)), V::SoldTwice, &[2]);
    has(found(|_, inventory| inventory.free.push(1..2)), V::InTwoPlaces, &[1]);
    has(found(|_, inventory| inventory.free.truncate(1)), V::Nowhere, &[3]);
    has(found(|_, inventory| inventory.free.push(9..10)), V::OutOfStock, &[9]);
    has(found(|ledger, _| ledger.sold.push(9)), V::OutOfStock, &[9]);
    has(found(|ledger, _| ledger.held.push(3)), V::FreeButOwned, &[3]);
    has(found(|ledger, _| ledger.held.clear()), V::HeldWithoutOrder, &[1]);
    has(found(|ledger, _| (ledger.held, ledger.sold) = (vec![1, 2], vec![])), V::SoldOnOneSide, &[2]);
    has(found(|ledger, _| ledger.over_limit.push(1)), V::OverLimit, &[1]);
    has(found(|_, inventory| inventory.counted[0] = 3), V::WrongCount, &[]);
    has(found(|_, inventory| inventory.stock = 5), V::StockDiffers, &[]);
}

#[test]
fn a_closed_shard_counts_what_nobody_owns_as_available() {
    let (ledger, _) = sides();
    let audit = compare(&ledger, None);
    assert_eq!((audit.available, audit.held, audit.sold, audit.stock), (2, 1, 1, 4));
    assert!(audit.violations.is_empty());
}

#[test]
fn a_limit_that_late_money_fills_names_the_ticket_and_its_stamp() {
    let mut shard = shard(10);
    let first = request(1, 1, 1, 1);
    let units = held(&mut shard, &first);
    shard.settle(&effect(EffectKind::Release, 1, &units));
    let late = HoldRequest { claim: TicketId([9; 16]), intent: Intent::TakeLate, ..first };
    let later = Timestamp::from_millis(5_000);
    assert!(matches!(shard.hold(&late, later, 0, true), HoldOutcome::Held { .. }));
    match shard.hold(&request(2, 1, 1, 1), later, 0, true) {
        HoldOutcome::LimitReached { newest, grant } => {
            assert_eq!((newest, grant.issued_at), (TicketId([1; 16]), NOW));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_touched_claim_counts_as_made_again_and_is_listed_once() {
    let mut shard = shard(10);
    let claims: Vec<_> = (1..=3).map(|user| request(user, user, 1, 9)).collect();
    for (claim, at) in claims.iter().zip([10, 20, 20]) {
        shard.hold(claim, Timestamp::from_millis(at), 0, false);
    }
    let listed = |shard: &Shard, before| -> Vec<_> {
        shard
            .unpinned(Timestamp::from_millis(before), 10)
            .into_iter()
            .map(|unpinned| unpinned.claim)
            .collect()
    };
    let [one, two, three] = [claims[0].claim, claims[1].claim, claims[2].claim];
    assert_eq!(listed(&shard, 100), [one, two, three]);
    shard.touch(&[two], Timestamp::from_millis(20));
    assert_eq!(listed(&shard, 100), [one, two, three], "in the same instant it stays where it is");
    shard.touch(&[one, two], Timestamp::from_millis(30));
    assert_eq!(listed(&shard, 100), [three, one, two]);
    assert_eq!(listed(&shard, 30), [three]);
    let pin =
        |claim, unit| Effect { kind: EffectKind::Pin, product: ProductNo(0), claim, units: Few::One(unit) };
    assert_eq!(shard.settle(&pin(one, 0)), Settled::Applied);
    shard.touch(&[one], Timestamp::from_millis(40));
    assert_eq!(listed(&shard, 100), [three, two], "what is acknowledged is not watched again");
    assert_eq!(shard.settle(&pin(three, 2)), Settled::Applied);
    assert_eq!(shard.settle(&pin(two, 1)), Settled::Applied);
    assert_eq!(listed(&shard, 100), []);
}

/// The promise behind "cancelled": whoever is told that a claim never comes must be right.
#[test]
fn a_claim_has_ended_once_its_fence_is_passed_and_not_before() {
    let term = |state| Term { state, ..OPEN };
    for state in [TermState::Open, TermState::Fencing, TermState::Rebuild] {
        assert!(!term(state).has_ended(Epoch(2)), "the running epoch: {state:?}");
        assert!(!term(state).has_ended(Epoch(3)), "an epoch to come: {state:?}");
        assert!(term(state).has_ended(Epoch(0)), "an epoch before the last one: {state:?}");
    }
    assert!(!term(TermState::Fencing).has_ended(Epoch(1)), "what lies before the fence may not be read yet");
    assert!(term(TermState::Rebuild).has_ended(Epoch(1)) && OPEN.has_ended(Epoch(1)));
}
