//! What can be told of an address of PostgreSQL without its driver: which hosts it names, and whether it speaks of TLS.
//! Both forms are known, `postgres://…` and `key=value` pairs.

/// The hosts; empty where it leads to a socket of this machine.
pub(super) fn hosts(address: &str) -> Vec<String> {
    let mut hosts = match after_scheme(address) {
        Some(rest) => {
            let authority = rest.split(['/', '?']).next().unwrap_or_default();
            let places = authority.rsplit_once('@').map_or(authority, |(_, places)| places);
            places.split(',').map(|place| without_port(place).to_owned()).collect()
        }
        None => Vec::new(),
    };
    let named = settings(address).into_iter().filter(|(name, _)| matches!(*name, "host" | "hostaddr"));
    hosts.extend(named.flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>()));
    // A folder stands for the socket in it.
    hosts
        .retain(|host| !host.is_empty() && !host.starts_with('/') && !host.to_lowercase().starts_with("%2f"));
    hosts
}

/// Whether it has a setting of its own about TLS.
pub(super) fn speaks_of_tls(address: &str) -> bool {
    settings(address).iter().any(|(name, _)| name.starts_with("ssl"))
}

fn after_scheme(address: &str) -> Option<&str> {
    address.strip_prefix("postgres://").or_else(|| address.strip_prefix("postgresql://"))
}

fn without_port(place: &str) -> &str {
    match place.rsplit_once(':') {
        // An IPv6 address without a port ends in its bracket.
        Some((host, port)) if !port.ends_with(']') => host,
        _ => place,
    }
}

/// `name=value`, of what follows the question mark or of the pairs.
fn settings(address: &str) -> Vec<(&str, String)> {
    let Some(rest) = after_scheme(address) else { return pairs(address) };
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let found = query.split('&').filter_map(|pair| pair.split_once('='));
    found.map(|(name, value)| (name, value.to_owned())).collect()
}

/// Pairs as libpq reads them: spaces may stand around `=`, a value may be in quotes, and a backslash takes the next character as
/// it is. Whatever follows a pair that is none is not read by the driver either, which refuses the address.
fn pairs(mut rest: &str) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = value(after.trim_start());
        found.push((name.trim(), value));
        rest = after;
    }
    found
}

/// The value at the beginning, and what follows it.
fn value(text: &str) -> (String, &str) {
    let (text, quoted) = text.strip_prefix('\'').map_or((text, false), |inner| (inner, true));
    let (mut value, mut characters) = (String::new(), text.chars());
    while let Some(character) = characters.next() {
        match character {
            '\\' => value.extend(characters.next()),
            '\'' if quoted => break,
            space if !quoted && space.is_whitespace() => break,
            other => value.push(other),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
#[path = "postgres_address_tests.rs"]
mod tests;
