//! Faults: stores that fail over, restart, fall back or lose everything, and processes that are killed.

use crate::mutant::Mutants;
use crate::sale::Sale;
use crate::world::World;

/// Old primaries of one shard that go on at once at most.
const MOST_ISOLATED: usize = 2;

/// What happens to a shard's primary.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The replica takes over, the primary is gone.
    Failover,
    /// The replica takes over, and the old primary goes on for those who are isolated with it.
    Isolation,
    /// The process comes back with its data.
    Restart,
    /// The process comes back with older data.
    Truncation,
    /// Everything is lost.
    Loss,
}

const FAULTS: [Fault; 7] = [
    Fault::Failover,
    Fault::Failover,
    Fault::Isolation,
    Fault::Isolation,
    Fault::Restart,
    Fault::Truncation,
    Fault::Loss,
];

/// A replica catches up with its primary.
pub(crate) fn replicate(world: &mut World) -> Option<usize> {
    let at = world.any_sale();
    let servers = &mut world.sales[at].servers;
    servers.replica.clone_from(&servers.primary.data);
    None
}

/// An isolated primary goes away.
pub(crate) fn depose(world: &mut World) -> Option<usize> {
    let at = world.any_sale();
    let isolated = &mut world.sales[at].servers.isolated;
    if !isolated.is_empty() {
        isolated.remove(0);
    }
    None
}

/// A store fails: of one sale, or of all that there are.
pub(crate) fn strike(world: &mut World) -> Option<usize> {
    if world.faults >= world.options.most_faults {
        return None;
    }
    world.faults += 1;
    let fault = world.dice.of(&FAULTS);
    let first = world.any_sale();
    let all = world.dice.chance(250);
    for at in 0..world.sales.len() {
        if all || at == first {
            let skew_ms = world.dice.below(world.options.skew_ms as usize + 1) as u64;
            hit(&mut world.sales[at], fault, skew_ms, world.mutants);
            count(world, fault);
            world.say(|| format!("s{at} FAULT {fault:?}"));
        }
    }
    Some(first)
}

fn hit(sale: &mut Sale, fault: Fault, skew_ms: u64, mutants: Mutants) {
    let servers = &mut sale.servers;
    let data = match fault {
        Fault::Restart => servers.primary.data.clone(),
        Fault::Failover | Fault::Isolation | Fault::Truncation => servers.replica.clone(),
        Fault::Loss => None,
    };
    if matches!(fault, Fault::Loss) {
        servers.replica = None;
    }
    let old = servers.replace(data, skew_ms, mutants);
    if matches!(fault, Fault::Isolation) && servers.isolated.len() < MOST_ISOLATED {
        servers.isolated.push(old);
    }
}

fn count(world: &mut World, fault: Fault) {
    let figures = &mut world.figures;
    let figure = match fault {
        Fault::Failover => &mut figures.failovers,
        Fault::Isolation => &mut figures.isolations,
        Fault::Restart => &mut figures.restarts,
        Fault::Truncation => &mut figures.truncations,
        Fault::Loss => &mut figures.losses,
    };
    *figure += 1;
}

/// A process dies between two steps, with everything that it was about to do.
pub(crate) fn kill(world: &mut World) -> Option<usize> {
    let kind = world.dice.below(6);
    let any = |count: usize, world: &mut World| (count > 0).then(|| world.dice.below(count));
    let killed = match kind {
        0 => {
            let node = world.dice.below(world.options.nodes);
            let before = world.batches.len();
            world.batches.retain(|batch| batch.node != node);
            before - world.batches.len()
        }
        1 => any(world.readers.len(), world).map_or(0, |at| drop_one(&mut world.readers, at)),
        2 => any(world.settlers.len(), world).map_or(0, |at| drop_one(&mut world.settlers, at)),
        3 => any(world.relays.len(), world).map_or(0, |at| drop_one(&mut world.relays, at)),
        4 => any(world.recoveries.len(), world).map_or(0, |at| drop_one(&mut world.recoveries, at)),
        _ => any(world.workers.len(), world).map_or(0, |at| drop_one(&mut world.workers, at)),
    };
    world.figures.kills += killed as u64;
    if killed > 0 {
        world.say(|| format!("KILL {killed} of kind {kind}"));
    }
    None
}

fn drop_one<T>(list: &mut Vec<T>, at: usize) -> usize {
    list.swap_remove(at);
    1
}
