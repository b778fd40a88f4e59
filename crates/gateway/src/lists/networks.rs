//! Networks by what is done with them. The narrowest one that an address is in decides.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use foldhash::HashMap;
use ipnet::{IpNet, Ipv4Net};

use super::text::{Mistakes, lines, shown};

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
    /// The first wrong lines, and what would be right.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let (mut networks, mut mistakes) = (Self::default(), Mistakes::default());
        for (number, line) in lines(text)? {
            match entry(line) {
                Ok((rule, network)) => {
                    if networks.put(network, rule).is_some_and(|other| other != rule) {
                        mistakes.add(number, &format!("{network} is both denied and allowed"));
                    }
                }
                Err(wrong) => mistakes.add(number, &wrong),
            }
        }
        networks.v4.sort_unstable_by_key(|(prefix, _)| std::cmp::Reverse(*prefix));
        networks.v6.sort_unstable_by_key(|(prefix, _)| std::cmp::Reverse(*prefix));
        mistakes.or(networks)
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

    /// A denied network that has addresses of this one, of which `prefix` leading bits count; `None` where none has, or where
    /// it is loopback, which is never denied.
    #[must_use]
    pub fn denied_in(&self, address: IpAddr, prefix: u8) -> Option<IpNet> {
        let whole = IpNet::new(address, prefix).ok()?.trunc();
        if whole.addr().is_loopback() {
            return None;
        }
        let inside = |network: &IpNet| network.prefix_len() > prefix && whole.contains(network);
        let around = |network: &IpNet| network.prefix_len() <= prefix && network.contains(&whole);
        let denied =
            self.all().filter(|(_, rule)| *rule == Rule::Deny).map(|(network, _)| network).find(inside);
        // The narrowest one around it decides over what no narrower one has.
        denied.or_else(|| {
            let narrowest = self
                .all()
                .filter(|(network, _)| around(network))
                .max_by_key(|(network, _)| network.prefix_len());
            narrowest.filter(|(_, rule)| *rule == Rule::Deny).map(|(network, _)| network)
        })
    }

    fn all(&self) -> impl Iterator<Item = (IpNet, Rule)> {
        let v4 = self.v4.iter().flat_map(|(prefix, networks)| {
            let network = |bits: u32| IpNet::new_assert(Ipv4Addr::from_bits(bits).into(), *prefix);
            networks.iter().map(move |(bits, rule)| (network(*bits), *rule))
        });
        let v6 = self.v6.iter().flat_map(|(prefix, networks)| {
            let network = |bits: u128| IpNet::new_assert(Ipv6Addr::from_bits(bits).into(), *prefix);
            networks.iter().map(move |(bits, rule)| (network(*bits), *rule))
        });
        v4.chain(v6)
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

/// IPv4 inside IPv6 as what it is: its addresses are judged as IPv4.
fn plain(network: IpNet) -> Result<IpNet, String> {
    let IpNet::V6(inside) = network else { return Ok(network) };
    let Some(address) = inside.addr().to_ipv4_mapped() else { return Ok(network) };
    inside
        .prefix_len()
        .checked_sub(96)
        .and_then(|prefix| Ipv4Net::new(address, prefix).ok())
        .map(IpNet::V4)
        .ok_or_else(|| {
            format!(
                "{network} is wider than all of IPv4 inside IPv6, which has 96 leading bits: write the IPv4 network, such as \
                 {address}/24, or 0.0.0.0/0 for all of them"
            )
        })
}

/// Whether a number of an IPv4 address, or of leading bits, begins with a zero and goes on.
fn has_leading_zeros(network: &str) -> bool {
    let (address, prefix) = network.split_once('/').unwrap_or((network, ""));
    let dotted = address.rsplit(':').next().filter(|last| last.contains('.'));
    let numbers = dotted.into_iter().flat_map(|dotted| dotted.split('.')).chain([prefix]);
    numbers.into_iter().any(|number| number.len() > 1 && number.starts_with('0'))
}

fn entry(line: &str) -> Result<(Rule, IpNet), String> {
    let form =
        || format!("{} must be such as \"deny 203.0.113.0/24\" or \"allow 2001:db8::/32\"", shown(line));
    let (word, network) = line.split_once(char::is_whitespace).ok_or_else(form)?;
    let rule = match word {
        "deny" => Rule::Deny,
        "allow" => Rule::Allow,
        _ => return Err(form()),
    };
    let network = network.trim();
    if has_leading_zeros(network) {
        return Err(format!(
            "{} has numbers with leading zeros, which some read as octal: write them without",
            shown(line)
        ));
    }
    let alone = network.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let network = alone.or_else(|_| network.parse::<IpNet>()).map_err(|_| form())?;
    let network = plain(network)?;
    if network != network.trunc() {
        return Err(format!("{network} has bits beyond its prefix; its network is {}", network.trunc()));
    }
    Ok((rule, network))
}

#[cfg(test)]
#[path = "networks_tests.rs"]
mod tests;
