//! Who reads along, and who we are: TLS and SASL, in the client library's words. What is said here holds for every broker
//! that the cluster names.
//!
//! The library takes TLS and the hashes of SCRAM from OpenSSL, so both are there only where this crate was built with its
//! feature `tls`.

use rdkafka::ClientConfig;
use store_tls::Tls;

use crate::Refusal;

/// Who reads along, and who we are; by default everybody may, and we are nobody.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// Whom to believe over TLS, and what to show: no connection goes without it then. `None`: none is encrypted.
    pub tls: Option<Tls>,
    /// Who we say that we are.
    pub sasl: Option<Sasl>,
}

/// A user with a password.
#[derive(Clone)]
pub struct Sasl {
    /// How the brokers ask for it.
    pub mechanism: Mechanism,
    /// The user.
    pub user: String,
    /// The user's password.
    pub password: String,
}

/// How brokers ask who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// The password itself is sent.
    Plain,
    /// SCRAM with SHA-256 (RFC 7677).
    ScramSha256,
    /// SCRAM with SHA-512.
    ScramSha512,
}

impl Mechanism {
    /// As brokers call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// Shows neither user nor password.
impl std::fmt::Debug for Sasl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sasl").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

impl Security {
    /// Tells the client library. Nothing is said where nothing is asked for.
    pub(crate) fn tell(&self, client: &mut ClientConfig) -> Result<(), Refusal> {
        let protocol = match (&self.tls, &self.sasl) {
            (None, None) => return Ok(()),
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        if !cfg!(feature = "tls") {
            return Err(Refusal::BuiltWithout);
        }
        client.set("security.protocol", protocol);
        if let Some(tls) = &self.tls {
            client
                .set("enable.ssl.certificate.verification", "true")
                .set("ssl.endpoint.identification.algorithm", "https");
            if let Some(authorities) = tls.authorities() {
                client.set("ssl.ca.pem", authorities);
            }
            if let Some(shown) = tls.client() {
                client.set("ssl.certificate.pem", &shown.certificate).set("ssl.key.pem", &shown.key);
            }
        }
        if let Some(sasl) = &self.sasl {
            client
                .set("sasl.mechanisms", sasl.mechanism.name())
                .set("sasl.username", &sasl.user)
                .set("sasl.password", &sasl.password);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "security_tests.rs"]
mod tests;
