//! How a store is spoken to over TLS: whom we believe, and what we show of ourselves. The same for Redis, Kafka and
//! PostgreSQL, whose clients take it in forms of their own.
//!
//! A server is always verified whole: its chain of certificates, their dates, and that it is the host whose address was
//! named. There is no way to leave a part of that out.

mod pem;
mod why;

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

pub use why::{why, why_of};

/// Whom we believe and what we show, as the files said; what is in it has been read once, so it is right in itself.
#[derive(Clone)]
pub struct Tls {
    authorities: Option<Arc<str>>,
    client: Option<Arc<Client>>,
    config: Arc<ClientConfig>,
}

/// A certificate of our own with its key, as PEM.
pub struct Client {
    /// The certificate, and those between it and the one that the server believes.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// Which file is not as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The certificates of authorities whom we believe.
    Authorities,
    /// The certificate that we show.
    Certificate,
    /// Its private key.
    Key,
}

/// What is wrong with a file, and what would be right: the end of a sentence that begins with its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}")]
pub struct Unusable {
    /// Which one.
    pub part: Part,
    /// What is wrong with it.
    pub wrong: String,
}

impl Unusable {
    fn new(part: Part, wrong: impl Into<String>) -> Self {
        Self { part, wrong: wrong.into() }
    }
}

impl Tls {
    /// Of the texts of PEM files: authorities (those of this machine where there are none), and a certificate with its key
    /// where the server asks for one.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn read(authorities: Option<&[u8]>, client: Option<(&[u8], &[u8])>) -> Result<Self, Unusable> {
        // Refused where there is one already, which is as good. Clients that make connections of their own ask for it.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let believed = match authorities {
            Some(text) => named_authorities(text)?,
            None => authorities_of_this_machine()?,
        };
        let builder = ClientConfig::builder().with_root_certificates(believed);
        let config = match client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let (chain, key) = identity(certificate, key)?;
                builder.with_client_auth_cert(chain, key).map_err(|error| does_not_fit(&error))?
            }
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let client = client
            .map(|(certificate, key)| Arc::new(Client { certificate: text(certificate), key: text(key) }));
        Ok(Self {
            authorities: authorities.map(|bytes| text(bytes).into()),
            client,
            config: Arc::new(config),
        })
    }

    /// The authorities as PEM; `None`: those of this machine.
    #[must_use]
    pub fn authorities(&self) -> Option<&str> {
        self.authorities.as_deref()
    }

    /// What we show.
    #[must_use]
    pub fn client(&self) -> Option<&Client> {
        self.client.as_deref()
    }

    /// The same, for clients that use rustls themselves.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }
}

/// Says what there is, and shows nothing of a key.
impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("authorities", if self.authorities.is_some() { &"named" } else { &"this machine's" })
            .field("client", &self.client.is_some())
            .finish()
    }
}

fn named_authorities(text: &[u8]) -> Result<RootCertStore, Unusable> {
    let unusable = |wrong: String| Unusable::new(Part::Authorities, wrong);
    let mut believed = RootCertStore::empty();
    for certificate in pem::certificates(text).map_err(unusable)? {
        let added = believed.add(certificate);
        added.map_err(|error| unusable(format!("has a certificate that cannot be used: {error}")))?;
    }
    Ok(believed)
}

fn authorities_of_this_machine() -> Result<RootCertStore, Unusable> {
    let mut believed = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = believed.add_parsable_certificates(found.certs);
    if added == 0 {
        let wrong = "is not set, and this machine believes no authority (Debian's package ca-certificates brings those of the \
                     public ones): name the file with the certificates of the server's authority";
        return Err(Unusable::new(Part::Authorities, wrong));
    }
    Ok(believed)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(certificate: &[u8], key: &[u8]) -> Result<Identity, Unusable> {
    let chain = pem::certificates(certificate).map_err(|wrong| Unusable::new(Part::Certificate, wrong))?;
    let key = pem::key(key).map_err(|wrong| Unusable::new(Part::Key, wrong))?;
    Ok((chain, key))
}

fn does_not_fit(error: &rustls::Error) -> Unusable {
    match error {
        rustls::Error::InconsistentKeys(_) => Unusable::new(
            Part::Key,
            "is not the key of the certificate: name the two that were made together",
        ),
        other => Unusable::new(Part::Certificate, format!("cannot be used with its key: {other}")),
    }
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;
