//! Stripe's form of parameters: `a[b][c]=value`, form-encoded.

use std::collections::BTreeMap;

/// Parameters by their full name.
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    pub(crate) fn read(body: &[u8]) -> Result<Self, String> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(body)
            .map_err(|error| format!("the body is not form-encoded: {error}"))?;
        Ok(Self(pairs.into_iter().collect()))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, String> {
        self.text(name).ok_or_else(|| format!("{name} is missing"))
    }

    pub(crate) fn number(&self, name: &str) -> Result<i64, String> {
        let text = self.required(name)?;
        text.parse()
            .ok()
            .filter(|number| *number >= 0)
            .ok_or_else(|| format!("{name} must be a whole number"))
    }

    /// A text that is the same for the same parameters.
    pub(crate) fn fingerprint(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}\u{1}{value}\u{2}")).collect()
    }
}
