//! Promises of sales and of the status board.

use domain::challenge::ChallengeRule;
use domain::id::{IdempotencyKey, ProductNo, TicketId};
use domain::sale::Sale;
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use domain::time::Timestamp;

use super::Backend;
use super::world::{World, fresh_id, parsed, sale};
use crate::sales::{Action, Created, Restocked, Updated};

/// Creation and updates.
pub async fn a_sale_is_created_once_and_updated_at_its_revision(backend: &Backend) {
    let id = fresh_id();
    assert_eq!(parsed(backend.sales.create(sale(&id, 5, 1)).await), Created::Created);
    assert_eq!(parsed(backend.sales.create(sale(&id, 9, 9)).await), Created::Exists);
    let all = parsed(backend.sales.list().await);
    let stored = parsed(all.into_iter().find(|each| each.sale_id == id).ok_or("it is listed"));
    assert_eq!(stored.products[0].stock, 5, "the first one stands");
    assert_eq!(stored.challenge, ChallengeRule::Always, "whom it asks is kept");
    let mut change = Sale { name: "New".into(), challenge: ChallengeRule::Suspects, ..stored.clone() };
    change.products[0].stock = 77;
    let Updated::Updated(now) = parsed(backend.sales.update(change.clone(), false).await) else {
        panic!("updated")
    };
    assert_eq!((now.name.as_str(), now.revision), ("New", stored.revision + 1));
    assert_eq!(now.challenge, ChallengeRule::Suspects);
    let listed = parsed(backend.sales.list().await).into_iter().find(|each| each.sale_id == id);
    assert_eq!(listed.map(|sale| sale.challenge), Some(ChallengeRule::Suspects));
    assert_eq!(now.products[0].stock, 5, "stock moves by restocks only");
    assert!(
        matches!(parsed(backend.sales.update(change, false).await), Updated::Conflict(newer) if newer == now)
    );
    let unknown = sale(&fresh_id(), 1, 1);
    assert_eq!(parsed(backend.sales.update(unknown, false).await), Updated::Unknown);
}

/// Restocks.
pub async fn a_restock_happens_once_per_key(backend: &Backend) {
    let world = World::open(backend, 5, 5).await;
    let restock = async |product: u16, units, key: &str| {
        let key = parsed(IdempotencyKey::parse(key));
        parsed(backend.sales.restock(&world.shard.sale, ProductNo(product), units, &key).await)
    };
    assert!(matches!(restock(0, 3, "k").await, Restocked::Restocked(sale) if sale.products[0].stock == 8));
    assert!(matches!(restock(0, 3, "k").await, Restocked::Replay(sale) if sale.products[0].stock == 8));
    assert_eq!(restock(0, 4, "k").await, Restocked::KeyReused);
    assert_eq!(restock(0, 16_777_215, "much").await, Restocked::TooMany);
    assert_eq!(restock(9, 1, "where").await, Restocked::Unknown);
    world.deliver().await;
    assert_eq!(world.counts().await, [8, 0, 0]);
}

/// Actions.
pub async fn actions_are_listed_newest_first(backend: &Backend) {
    let id = fresh_id();
    for (at, name) in [(1, "first"), (2, "second")] {
        let action = Action {
            at: Timestamp::from_millis(at),
            actor: "operator".into(),
            action: name.into(),
            sale: Some(id.clone()),
            detail: String::new(),
        };
        parsed(backend.sales.note(action).await);
    }
    let listed = parsed(backend.sales.actions(100).await);
    let mine: Vec<_> = listed
        .iter()
        .filter(|each| each.sale.as_ref() == Some(&id))
        .map(|each| each.action.as_str())
        .collect();
    assert_eq!(mine, ["second", "first"]);
    assert_eq!(parsed(backend.sales.actions(1).await).len(), 1);
}

/// The board.
pub async fn a_board_never_goes_back(backend: &Backend) {
    let world = World::open(backend, 1, 1).await;
    let request = world.request("ann", "k", 1);
    let stamp = TicketStamp {
        ticket: request.claim,
        shard: world.shard.clone(),
        epoch: world.epoch,
        issued_at: Timestamp::from_millis(1),
    };
    let at = |version| StatusDocument { version, ..StatusDocument::queued(stamp.clone(), request.terms) };
    let shown = async || {
        let document = parsed(backend.board.look(&world.shard, stamp.ticket).await);
        document.map(|shown| shown.document.version)
    };
    assert_eq!(shown().await, None);
    parsed(backend.board.show(vec![at(0)]).await);
    parsed(backend.board.show(vec![at(3)]).await);
    parsed(backend.board.show(vec![at(2)]).await);
    assert_eq!(shown().await, Some(3));
    parsed(
        tokio::time::timeout(
            std::time::Duration::from_secs(10),
            backend.board.wait(&world.shard, stamp.ticket, 2),
        )
        .await,
    );
    assert_eq!(parsed(backend.board.look(&world.shard, TicketId([0xdd; 16])).await), None);
}
