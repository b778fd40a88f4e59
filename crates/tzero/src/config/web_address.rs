//! An address on the web that may carry credentials, which are not shown.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// An `http://` or `https://` address. Neither `Debug` nor `Display` shows its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct WebAddress(String);

impl WebAddress {
    /// The address itself, for the one place that asks it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebAddress {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&without_credentials(&self.0))
    }
}

impl fmt::Debug for WebAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&without_credentials(&self.0), out)
    }
}

/// An address with asterisks in the place of its credentials, where it has any.
pub(super) fn without_credentials(address: &str) -> String {
    let begin = address.find("://").map_or(0, |at| at + 3);
    let rest = &address[begin..];
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    // A password with a slash in it is a mistake, and no less a secret.
    let at = rest[..end].rfind('@').or_else(|| rest.rfind('@'));
    at.map_or_else(|| address.to_owned(), |at| format!("{}***{}", &address[..begin], &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        for (address, shown) in [
            ("https://ann:pw@shop.example/keys", "https://***@shop.example/keys"),
            ("https://token@shop.example", "https://***@shop.example"),
            ("https://ann:p/w@shop.example/keys", "https://***@shop.example/keys"),
            ("https://a@b@shop.example/keys", "https://***@shop.example/keys"),
            ("ann:pw@shop.example", "***@shop.example"),
            ("https://shop.example/keys", "https://shop.example/keys"),
        ] {
            assert_eq!(without_credentials(address), shown);
            assert_eq!(format!("{:?}", address.parse::<WebAddress>().unwrap()), format!("{shown:?}"));
        }
    }
}
