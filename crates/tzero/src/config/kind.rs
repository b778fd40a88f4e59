//! What a key's value may be, and what to say where it is something else.

use std::net::SocketAddr;

use super::document::{Located, Node};
use super::network::{FORM as NETWORK_FORM, Network};
use super::web_address::without_credentials;

/// What is printed in the place of a secret; never one itself.
pub const NOT_SHOWN: &str = "(set, not shown)";

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number within these bounds.
    Whole(u64, u64),
    /// A number within these bounds.
    Number(f64, f64),
    /// Any text, also an empty one.
    Text,
    /// A text that is not shown.
    Secret,
    /// A text that is not empty.
    Filled,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// An IP address with its port.
    Address,
    /// The same, or empty.
    AddressOrEmpty,
    /// An `http://` or `https://` address without query, or empty.
    UrlOrEmpty,
    /// A list of networks.
    Networks,
    /// A list of addresses of servers.
    Servers,
    /// 64 hexadecimal digits that are not shown, or empty.
    Digits,
    /// A short name of letters, digits and hyphens, or empty.
    Name,
}

impl Kind {
    /// The value in its plain form, or what is wrong with it and what would be right.
    pub fn accept(self, node: &Node) -> Result<toml::Value, String> {
        self.plain(node).ok_or_else(|| self.refusal(node))
    }

    /// A value that was given as text, in a variable or on the command line.
    pub fn accept_text(self, text: &str) -> Result<toml::Value, String> {
        let spelled = Node::Text(text.to_owned());
        let node = match self {
            Self::Flag => text.parse().map_or(spelled, Node::Flag),
            Self::Whole(..) => text.parse().map_or(spelled, Node::Integer),
            Self::Number(..) => text.parse().map_or(spelled, Node::Number),
            Self::Networks => return self.listed(text),
            Self::Servers => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                let located = |part: &str| Located { line: 1, node: Node::Text(part.to_owned()) };
                Node::List(parts.map(located).collect())
            }
            Self::Text
            | Self::Digits
            | Self::Name
            | Self::Secret
            | Self::Filled
            | Self::Choice(_)
            | Self::Address
            | Self::AddressOrEmpty
            | Self::UrlOrEmpty => spelled,
        };
        self.accept(&node)
    }

    fn listed(self, text: &str) -> Result<toml::Value, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let known = parts.clone().all(|part| part.parse::<Network>().is_ok());
        if !known {
            return Err(format!(
                "must be networks separated by commas, each {NETWORK_FORM}, and not {text:?}"
            ));
        }
        Ok(parts.map(toml::Value::from).collect::<Vec<_>>().into())
    }

    fn plain(self, node: &Node) -> Option<toml::Value> {
        match (self, node) {
            (Self::Flag, Node::Flag(flag)) => Some((*flag).into()),
            (Self::Whole(least, most), Node::Integer(number)) => {
                let within = u64::try_from(*number).is_ok_and(|number| (least..=most).contains(&number));
                within.then(|| (*number).into())
            }
            (Self::Number(least, most), Node::Number(number)) => within(*number, least, most),
            (Self::Number(least, most), Node::Integer(number)) => within(*number as f64, least, most),
            (Self::Networks, Node::List(values)) => {
                let texts: Option<Vec<toml::Value>> =
                    values.iter().map(|value| network(&value.node)).collect();
                texts.map(Into::into)
            }
            (Self::Servers, Node::List(values)) => {
                let texts: Option<Vec<toml::Value>> =
                    values.iter().map(|value| server(&value.node)).collect();
                texts.map(Into::into)
            }
            (_, Node::Text(text)) => self.plain_text(text),
            _ => None,
        }
    }

    fn plain_text(self, text: &str) -> Option<toml::Value> {
        let fits = match self {
            Self::Text => true,
            Self::Secret => text.trim() != NOT_SHOWN,
            Self::Filled => !text.trim().is_empty(),
            Self::Choice(choices) => choices.contains(&text),
            Self::Address => text.parse::<SocketAddr>().is_ok(),
            Self::AddressOrEmpty => text.is_empty() || text.parse::<SocketAddr>().is_ok(),
            Self::UrlOrEmpty => text.is_empty() || is_url(text),
            Self::Digits => {
                text.is_empty() || text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            }
            Self::Name => text.len() <= 32 && text.bytes().all(is_of_a_name),
            Self::Flag | Self::Whole(..) | Self::Number(..) | Self::Networks | Self::Servers => false,
        };
        fits.then(|| {
            if matches!(self, Self::UrlOrEmpty) { text.trim_end_matches('/').into() } else { text.into() }
        })
    }

    fn refusal(self, node: &Node) -> String {
        let expected = self.expected();
        match (self, node) {
            (Self::Secret, Node::Text(_)) => {
                format!(
                    "must be the secret itself, and not the words that are printed in its place, {NOT_SHOWN:?}"
                )
            }
            // What was given may be a secret with a mistake in it.
            (Self::Secret | Self::Digits, _) => format!("must be {expected}"),
            // So may an address.
            (Self::UrlOrEmpty, Node::Text(text)) => {
                format!("must be {expected}, and not the text {:?}", without_credentials(text))
            }
            (Self::Choice(choices), Node::Text(text)) => {
                let near = super::nearest::nearest(text, choices.iter().copied());
                let near = near.map(|near| format!(" (the nearest is {near:?})")).unwrap_or_default();
                format!("must be {expected}, and not {text:?}{near}")
            }
            (Self::Servers, Node::List(values)) => {
                let wrong = values.iter().find(|value| server(&value.node).is_none());
                let wrong = wrong.map(|value| value.node.described()).unwrap_or_default();
                format!("must be {expected}, and not {wrong}; on the command line, separate them by commas")
            }
            (Self::Networks, Node::List(values)) => {
                let wrong = values.iter().find(|value| network(&value.node).is_none());
                let wrong = wrong.map(|value| value.node.described()).unwrap_or_default();
                format!("must be {expected}, and not {wrong}")
            }
            _ => format!("must be {expected}, and not {}", node.described()),
        }
    }

    /// What would be right.
    fn expected(self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Number(least, most) => format!("a number from {least} to {most}"),
            Self::Text | Self::Secret => "a text in quotes".to_owned(),
            Self::Filled => "a text in quotes that is not empty".to_owned(),
            Self::Choice(choices) => {
                let quoted: Vec<String> = choices.iter().map(|choice| format!("{choice:?}")).collect();
                format!("one of {}", quoted.join(", "))
            }
            Self::Address => {
                "an IP address with its port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"".to_owned()
            }
            Self::AddressOrEmpty => {
                "an IP address with its port, such as \"127.0.0.1:8081\", or empty".to_owned()
            }
            Self::UrlOrEmpty => {
                "an address that begins with http:// or https:// and has neither query nor fragment, or empty"
                    .to_owned()
            }
            Self::Networks => format!("a list of networks, each {NETWORK_FORM}"),
            Self::Servers => "a list of servers, each such as \"10.0.0.1:9092\"".to_owned(),
            Self::Digits => "64 hexadecimal digits in quotes, or empty".to_owned(),
            Self::Name => "a name of at most 32 small letters, digits and hyphens, or empty".to_owned(),
        }
    }
}

fn within(number: f64, least: f64, most: f64) -> Option<toml::Value> {
    (least..=most).contains(&number).then(|| number.into())
}

fn network(node: &Node) -> Option<toml::Value> {
    let Node::Text(text) = node else { return None };
    text.parse::<Network>().is_ok().then(|| text.as_str().into())
}

fn server(node: &Node) -> Option<toml::Value> {
    let Node::Text(text) = node else { return None };
    let (host, port) = text.rsplit_once(':')?;
    let known = !host.is_empty() && port.parse::<u16>().is_ok() && !text.contains(char::is_whitespace);
    known.then(|| text.as_str().into())
}

const fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let plain =
        |rest: &str| !rest.contains(|letter: char| letter.is_whitespace() || letter == '?' || letter == '#');
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && plain(rest))
}
