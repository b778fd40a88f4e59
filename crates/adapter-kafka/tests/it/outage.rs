//! A broker that is killed, stays away, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use adapter_kafka::Kafka;
use domain::fence::Position;
use ports::Fault;
use ports::claims::ClaimLog as _;
use ports::clock::{Clock as _, SystemClock};

use crate::broker::Broker;
use crate::claims::{claim, claims, read_all, shard};

/// A log with limits that a test can wait out.
async fn log(broker: &Broker) -> Kafka {
    let mut options = broker.options("test.");
    options.limits.delivery = Duration::from_millis(1_500);
    options.limits.answer = Duration::from_millis(1_500);
    Kafka::connect(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_claim_is_lost_when_the_broker_is_killed() {
    let broker = Arc::new(Broker::start());
    let (log, shard) = (Arc::new(log(&broker).await), shard());
    let stop = Arc::new(AtomicBool::new(false));
    let publishing = {
        let (log, shard, stop) = (Arc::clone(&log), shard.clone(), Arc::clone(&stop));
        async move {
            let (mut acknowledged, mut refused, mut number) = (Vec::new(), 0_u32, 0);
            while !stop.load(Ordering::Relaxed) {
                match log.publish(&shard, claims(&shard, number..number + 10)).await {
                    Ok(()) => acknowledged.extend(number..number + 10),
                    Err(Fault::Unavailable { .. }) => refused += 1,
                    Err(other) => panic!("{other:?}"),
                }
                number += 10;
            }
            (acknowledged, refused)
        }
    };
    let killing = {
        let (broker, stop) = (Arc::clone(&broker), Arc::clone(&stop));
        tokio::task::spawn_blocking(move || {
            for _ in 0..3 {
                std::thread::sleep(Duration::from_millis(1_000));
                broker.kill();
                std::thread::sleep(Duration::from_millis(2_000));
                broker.restart();
            }
            std::thread::sleep(Duration::from_millis(1_500));
            stop.store(true, Ordering::Relaxed);
        })
    };
    let ((acknowledged, refused), killed) = tokio::join!(publishing, killing);
    killed.unwrap();
    let read = read_all(&log, &shard, 0).await;
    println!("{} acknowledged, {refused} times refused, {} read", acknowledged.len(), read.len());
    assert!(refused > 0, "the broker was away while claims came");
    assert!(read.is_sorted(), "in the order in which they were published");
    assert_eq!(
        read.iter().copied().collect::<std::collections::BTreeSet<_>>().len(),
        read.len(),
        "none twice"
    );
    let missing: Vec<_> = acknowledged.iter().filter(|number| read.binary_search(number).is_err()).collect();
    assert_eq!(missing, Vec::<&u32>::new());
    assert_eq!(read_all(&self::log(&broker).await, &shard, 0).await, read, "another node reads the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_broker_is_away_faults_come_in_time_and_reading_resumes_by_itself() {
    let broker = Arc::new(Broker::start());
    let (log, shard) = (log(&broker).await, shard());
    log.publish(&shard, claims(&shard, 0..5)).await.unwrap();
    assert_eq!(read_all(&log, &shard, 0).await.len(), 5);
    broker.kill();
    let clock = SystemClock::start();
    let refused = log.publish(&shard, vec![claim(&shard, 5)]).await;
    assert!(matches!(refused, Err(Fault::Unavailable { .. })), "{refused:?}");
    assert!(clock.elapsed() < Duration::from_secs(3), "{:?}", clock.elapsed());
    for asked in [log.end(&shard).await.map(drop), log.read(&shard, Position(5), 10).await.map(drop)] {
        assert!(matches!(asked, Err(Fault::Unavailable { .. })), "{asked:?}");
    }
    assert!(clock.elapsed() < Duration::from_secs(12), "{:?}", clock.elapsed());
    let clock = SystemClock::start();
    log.wait(&shard, Position(5)).await;
    assert!(clock.elapsed() > Duration::from_millis(200), "who waits does not spin");
    assert_eq!(
        log.read(&shard, Position(0), 9).await.unwrap().claims.len(),
        5,
        "what was read ahead is there"
    );
    let again = Arc::clone(&broker);
    tokio::task::spawn_blocking(move || again.restart()).await.unwrap();
    let clock = SystemClock::start();
    while log.publish(&shard, vec![claim(&shard, 6)]).await.is_err() {
        assert!(clock.elapsed() < Duration::from_secs(20), "the broker is back");
    }
    let numbers = loop {
        // The first refusals are those of a connection that is being made.
        match log.read(&shard, Position(5), 10).await {
            Ok(batch) => break batch.claims.iter().map(|(_, claim)| claim.units[0]).collect::<Vec<_>>(),
            Err(fault) => assert!(clock.elapsed() < Duration::from_secs(20), "{fault}"),
        }
    };
    println!("read again {:?} after the broker was back", clock.elapsed());
    assert!(numbers == [6] || numbers == [5, 6] || numbers[..1] == [6], "{numbers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_whose_broker_is_gone_is_dropped_in_time() {
    let broker = Broker::start();
    let (log, shard) = (log(&broker).await, shard());
    log.publish(&shard, claims(&shard, 0..5)).await.unwrap();
    log.read(&shard, Position(0), 1).await.unwrap();
    broker.kill();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let clock = SystemClock::start();
    tokio::task::spawn_blocking(move || drop(log)).await.unwrap();
    println!("dropped in {:?}", clock.elapsed());
    assert!(clock.elapsed() < Duration::from_secs(6), "{:?}", clock.elapsed());
}
