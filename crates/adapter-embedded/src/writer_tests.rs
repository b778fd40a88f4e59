//! Tests.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use ports::clock::SystemClock;
use wire::record::Record;

use super::*;
use crate::Press;
use crate::book::Book;

fn core() -> Core {
    Core::new(Arc::new(SystemClock::start()), 900_000, Book::default(), 0)
}

/// A job that makes something true, and tells when it is answered.
fn job(press: Press, number: u8, answered: &Sender<u8>) -> Job {
    let answered = answered.clone();
    let work = move |core: &mut Core| -> Answer {
        core.record(Record::Event([number; 16])).unwrap();
        Box::new(move || answered.send(number).unwrap())
    };
    Job { press, work: Box::new(work) }
}

#[test]
fn work_that_nobody_waits_for_is_committed_although_nothing_follows() {
    let (_sender, waiting) = channel();
    let (answered, answers) = channel();
    let mut core = core();
    group(&mut core, job(Press::Soon, 1, &answered), &waiting).unwrap();
    assert_eq!((core.seq, answers.try_recv()), (2, Ok(1)));
}

#[test]
fn work_that_nobody_waits_for_joins_the_next_commit() {
    let mut joined = 0;
    for _ in 0..20 {
        let (sender, waiting) = channel();
        let (answered, answers) = channel();
        let mut core = core();
        let (soon, now) = (job(Press::Soon, 1, &answered), job(Press::Now, 2, &answered));
        let late = std::thread::spawn(move || {
            std::thread::sleep(PATIENCE / 5);
            sender.send(now).unwrap();
        });
        group(&mut core, soon, &waiting).unwrap();
        late.join().unwrap();
        joined += u8::from(answers.try_iter().eq([1, 2]));
    }
    // On a busy machine the other thread may come too late, though not always.
    assert!(joined >= 5, "{joined} of 20 went together");
}

#[test]
fn work_that_somebody_waits_for_waits_for_nobody() {
    let (sender, waiting) = channel();
    let (answered, answers) = channel();
    let mut core = core();
    // Whoever comes while the first is at work goes with it; the group is not kept open for more.
    sender.send(job(Press::Soon, 2, &answered)).unwrap();
    let began = core.clock.elapsed();
    for _ in 0..200 {
        group(&mut core, job(Press::Now, 1, &answered), &waiting).unwrap();
    }
    let took = core.clock.elapsed() - began;
    assert_eq!(answers.try_iter().take(3).collect::<Vec<_>>(), [1, 2, 1]);
    assert!(took < PATIENCE * 100, "200 groups took {took:?}");
}
