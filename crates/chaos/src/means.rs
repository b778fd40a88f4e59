//! What this machine and the command line give to the faults that need something of their own.

use std::path::{Path, PathBuf};

use crate::clock::Clocks;
use crate::fault::{FAULTS, Fault, Need, named};
use crate::network;

/// What there is; where something is not, the reason.
pub struct Means {
    /// Another version of the program.
    pub previous: Option<PathBuf>,
    /// What makes clocks wrong.
    pub clocks: Result<Clocks, String>,
    network: Result<(), String>,
}

impl Means {
    /// Looks; what must be built for them goes into `folder`. A cut that a run of before has left is healed.
    pub fn find(previous: Option<PathBuf>, folder: &Path) -> Result<Self, String> {
        if let Some(previous) = previous.as_ref().filter(|previous| !previous.is_file()) {
            return Err(format!("--previous: {} is no program", previous.display()));
        }
        Ok(Self { previous, clocks: Clocks::find(folder), network: network::usable() })
    }

    /// Why a fault cannot be tried here.
    fn lacks(&self, fault: &Fault) -> Option<String> {
        match fault.deed.need()? {
            Need::Previous if self.previous.is_some() => None,
            Need::Previous => Some("it needs a program of another version: --previous PROGRAM".to_owned()),
            Need::Network => self.network.clone().err(),
            Need::Clocks => self.clocks.clone().err(),
        }
    }

    /// The faults of these names; where there are none, all that can be tried here, and a line for each that cannot.
    pub fn choose(&self, names: &[String]) -> Result<(Vec<&'static Fault>, Vec<String>), String> {
        if names.is_empty() {
            let (chosen, left): (Vec<_>, Vec<_>) =
                FAULTS.iter().partition(|fault| self.lacks(fault).is_none());
            let line = |fault: &&Fault| Some(format!("{} is left out: {}", fault.name, self.lacks(fault)?));
            return Ok((chosen, left.iter().filter_map(line).collect()));
        }
        let one = |name: &String| {
            let fault = named(name)?;
            self.lacks(fault).map_or(Ok(fault), |reason| Err(format!("{name} cannot be tried: {reason}")))
        };
        Ok((names.iter().map(one).collect::<Result<_, _>>()?, Vec::new()))
    }
}

#[cfg(test)]
#[path = "means_tests.rs"]
mod tests;
