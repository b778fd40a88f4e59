//! Every role of a fleet on one thread, from one seed: the protocol of claims, fences and rebuilds under faults.
//!
//! A walk draws its options and its faults from its seed, lets chance choose the next step of one of many processes,
//! checks every invariant after each step, then stops the faults: the fleet must converge, and every unit must be
//! sellable. The rules are the project's own ([`domain::inventory`], [`domain::allocation`], [`domain::fence`],
//! [`domain::transition`]); a mutant ([`Mutant`]) takes one of them, or one of the roles' rules, away.
//!
//! A sale has one shard here, as it has in this build: units do not move between shards. What else is not modelled, and
//! how a seed is walked again, stands in `docs/simulation.md`.

mod auditor;
mod buyers;
mod dice;
mod drain;
mod faults;
mod figures;
mod invariants;
mod mutant;
mod options;
mod roles;
mod rules;
mod sale;
mod stores;
mod violation;
mod world;

pub use figures::Figures;
pub use mutant::{Mutant, Mutants};
pub use options::Options;
pub use violation::Violation;

use world::World;

/// Steps of a walk where nobody says otherwise: from half of it to one and a half times.
pub const STEPS: u32 = 300;

/// What became of one walk.
#[derive(Clone, Debug)]
pub struct Walk {
    /// What its seed decided beforehand.
    pub options: Option<Options>,
    /// What was counted.
    pub figures: Figures,
    /// The promise that was broken, if one was.
    pub violation: Option<Violation>,
    /// What happened, oldest first; empty unless asked for.
    pub story: Vec<String>,
}

/// Walks from `seed` for about `steps` steps without the rules of `mutants`; tells its story if asked to.
#[must_use]
pub fn walk(seed: u64, steps: u32, mutants: Mutants, told: bool) -> Walk {
    let mut world = match World::new(seed, steps, mutants, told) {
        Ok(world) => world,
        Err(violation) => {
            let (figures, story) = (Figures::default(), Vec::new());
            return Walk { options: None, figures, violation: Some(violation), story };
        }
    };
    let outcome = whole(&mut world);
    world.figures.walks = u64::from(outcome.is_ok());
    Walk {
        options: Some(world.options),
        figures: world.figures,
        violation: outcome.err(),
        story: world.story.unwrap_or_default(),
    }
}

fn whole(world: &mut World) -> violation::Checked {
    for _ in 0..world.options.steps {
        world.step()?;
    }
    drain::drain(world)
}
