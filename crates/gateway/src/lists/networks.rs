//! Networks by what is done with them. The narrowest one that an address is in decides.

use std::net::IpAddr;

use foldhash::HashMap;
use ipnet::IpNet;

use super::lines;

/// What is done with a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Its connections are closed at once; what comes through a proxy is refused.
    Deny,
    /// No limit per network is counted against it: an office, a partner, a monitor.
    Allow,
}

/// A list of networks.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    /// By how many leading bits count, most first.
    v4: Vec<(u8, HashMap<u32, Rule>)>,
    v6: Vec<(u8, HashMap<u128, Rule>)>,
}

impl Networks {
    /// From lines such as `deny 203.0.113.0/24` and `allow 2001:db8::/32`; `#` begins a remark.
    ///
    /// # Errors
    /// The line, and what would be right.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let mut networks = Self::default();
        for (number, line) in lines(text)? {
            let (rule, network) = entry(line).map_err(|wrong| format!("line {number}: {wrong}"))?;
            if networks.put(network, rule).is_some_and(|other| other != rule) {
                return Err(format!("line {number}: {network} is both denied and allowed"));
            }
        }
        networks.v4.sort_unstable_by_key(|(prefix, _)| std::cmp::Reverse(*prefix));
        networks.v6.sort_unstable_by_key(|(prefix, _)| std::cmp::Reverse(*prefix));
        Ok(networks)
    }

    fn put(&mut self, network: IpNet, rule: Rule) -> Option<Rule> {
        match network {
            IpNet::V4(network) => {
                level(&mut self.v4, network.prefix_len()).insert(network.network().to_bits(), rule)
            }
            IpNet::V6(network) => {
                level(&mut self.v6, network.prefix_len()).insert(network.network().to_bits(), rule)
            }
        }
    }

    /// What is done with an address; `None` where no network has it. Loopback is in none.
    #[must_use]
    pub fn rule(&self, address: IpAddr) -> Option<Rule> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return None;
        }
        match address {
            IpAddr::V4(address) => self.v4.iter().find_map(|(prefix, networks)| {
                let mask = u32::MAX.checked_shl(32 - u32::from(*prefix)).unwrap_or(0);
                networks.get(&(address.to_bits() & mask)).copied()
            }),
            IpAddr::V6(address) => self.v6.iter().find_map(|(prefix, networks)| {
                let mask = u128::MAX.checked_shl(128 - u32::from(*prefix)).unwrap_or(0);
                networks.get(&(address.to_bits() & mask)).copied()
            }),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let v4: usize = self.v4.iter().map(|(_, networks)| networks.len()).sum();
        v4 + self.v6.iter().map(|(_, networks)| networks.len()).sum::<usize>()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn level<K>(levels: &mut Vec<(u8, HashMap<K, Rule>)>, prefix: u8) -> &mut HashMap<K, Rule> {
    let at = levels.iter().position(|(known, _)| *known == prefix).unwrap_or_else(|| {
        levels.push((prefix, HashMap::default()));
        levels.len() - 1
    });
    &mut levels[at].1
}

fn entry(line: &str) -> Result<(Rule, IpNet), String> {
    let form = || format!("{line:?} must be such as \"deny 203.0.113.0/24\" or \"allow 2001:db8::/32\"");
    let (word, network) = line.split_once(char::is_whitespace).ok_or_else(form)?;
    let rule = match word {
        "deny" => Rule::Deny,
        "allow" => Rule::Allow,
        _ => return Err(form()),
    };
    let network = network.trim();
    let alone = network.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let network = alone.or_else(|_| network.parse::<IpNet>()).map_err(|_| form())?;
    if network != network.trunc() {
        return Err(format!("{network} has bits beyond its prefix; its network is {}", network.trunc()));
    }
    Ok((rule, network))
}

#[cfg(test)]
#[path = "networks_tests.rs"]
mod tests;
