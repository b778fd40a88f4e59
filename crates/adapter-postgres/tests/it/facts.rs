//! What the shop's own systems hear: every change is kept until it was told, and given to one teller at a time.

use std::time::Duration;

use domain::transition::{Change, Closing};
use ports::facts::{Facts, Untold};

use crate::server::store;
use crate::shop::Shop;

/// Versions and statuses.
fn said(untold: &[Untold]) -> Vec<(u32, &'static str)> {
    assert!(untold.iter().all(|untold| untold.product.as_str() == "p"), "{untold:?}");
    untold.iter().map(|untold| (untold.order.version, untold.order.status().as_str())).collect()
}

#[tokio::test]
async fn a_change_is_kept_until_it_was_told() {
    let (store, _) = store().await;
    let shop = Shop::open(store.clone(), 3, 1).await;
    shop.allocate(vec![shop.claim(1, "ann", &[0]), shop.claim(2, "bob", &[0])]).await;
    // Bob's unit was taken: that he was refused is his first step, and his last one.
    let first = store.take(10, 400).await.expect("taken");
    assert_eq!(said(&first), [(1, "sold_out")]);
    store.told(first.iter().map(|untold| untold.id).collect()).await.expect("told");
    for change in [Change::Close(Closing::ByBuyer), Change::DoorClosed] {
        shop.apply(1, change).await;
    }
    let newest = [(3, "cancelled"); 2];
    let taken = store.take(10, 400).await.expect("taken");
    assert_eq!(said(&taken), newest, "each change comes, with the order as it is now");
    assert_eq!(store.take(10, 400).await, Ok(Vec::new()), "somebody is telling them");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let again = store.take(1, 400).await.expect("taken");
    assert_eq!(again, taken[..1], "whoever told them may have died: they come again, the oldest first");
    store.told(taken.iter().map(|untold| untold.id).collect()).await.expect("told");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(store.take(10, 400).await, Ok(Vec::new()), "what was told is over");
}
