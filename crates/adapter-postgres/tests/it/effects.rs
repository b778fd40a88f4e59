//! Effects share rows: each is told and forgotten by itself all the same.

use domain::hold::EffectKind;
use ports::ledger::{Effects, PendingEffect};

use crate::server::{by_hand, store};
use crate::shop::Shop;

async fn pending(shop: &Shop, limit: usize) -> Vec<PendingEffect> {
    shop.store.pending(&shop.shard, limit).await.expect("effects").1
}

async fn forget(shop: &Shop, effects: &[PendingEffect]) {
    let ids = effects.iter().map(|effect| effect.id).collect();
    shop.store.forget(&shop.shard, ids).await.expect("forgotten");
}

/// A sale whose ledger has 150 effects: 149 pins, and in their midst a release.
async fn shop() -> (Shop, String) {
    let (store, url) = store().await;
    let shop = Shop::open(store, 200, 2).await;
    let claims = (0..150).map(|number| {
        let unit = if number == 70 { 3 } else { number };
        shop.claim(number, &format!("user-{number}"), &[unit])
    });
    shop.allocate(claims.collect()).await;
    (shop, url)
}

#[tokio::test]
async fn effects_come_in_the_order_in_which_they_were_decided() {
    let (shop, url) = shop().await;
    let all = pending(&shop, 1_000).await;
    assert_eq!(all.len(), 150);
    for (number, effect) in (0..).zip(&all) {
        let kind = if number == 70 { EffectKind::Release } else { EffectKind::Pin };
        assert_eq!((effect.effect.kind, effect.effect.claim), (kind, shop.ticket(number)));
    }
    let rows =
        by_hand(&url).await.query_one("SELECT count(*) FROM tzero.effect", &[]).await.expect("counted");
    assert_eq!(rows.get::<_, i64>(0), 5, "64 and 6 pins, a release, 64 and 15 pins");
    assert_eq!(pending(&shop, 10).await, all[..10]);
    assert_eq!(pending(&shop, 100).await, all[..100]);
}

#[tokio::test]
async fn what_was_not_forgotten_waits() {
    let (shop, url) = shop().await;
    let all = pending(&shop, 1_000).await;
    forget(&shop, &all[10..80]).await;
    let left = [&all[..10], &all[80..]].concat();
    assert_eq!(pending(&shop, 1_000).await, left);
    // Somebody else, who was told the same, is slower: nothing of what waits goes with it.
    forget(&shop, &all[10..80]).await;
    assert_eq!(pending(&shop, 1_000).await, left);
    assert_eq!(pending(&shop, 15).await, left[..15]);
    forget(&shop, &left[5..]).await;
    forget(&shop, &left[..5]).await;
    assert_eq!(pending(&shop, 1_000).await, []);
    let rows =
        by_hand(&url).await.query_one("SELECT count(*) FROM tzero.effect", &[]).await.expect("counted");
    assert_eq!(rows.get::<_, i64>(0), 0, "a row goes with the last of its effects");
}
