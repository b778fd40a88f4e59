//! The files of TLS with the stores, read as every start reads them; each mistake names its key.

use std::path::Path;

use store_tls::{Part, Tls, Unusable};

use crate::config::{Config, Store, StoreTls, TlsMode};
use crate::files;

/// Bytes of the longest file that is read; bundles of all public authorities have a quarter of it.
const LONGEST: u64 = 1 << 20;

/// What each store is told of TLS.
pub struct StoresTls {
    /// Redis.
    pub redis: Option<Tls>,
    /// Kafka.
    pub kafka: Option<Tls>,
    /// PostgreSQL.
    pub postgres: Option<Tls>,
}

impl StoresTls {
    /// Reads every file that is named.
    ///
    /// # Errors
    /// What is wrong with each of them, a line each.
    pub fn read(config: &Config) -> Result<Self, String> {
        let mut wrong = Vec::new();
        let mut of = |store: Store| match read(&config.store_tls(store)) {
            Ok(tls) => tls,
            Err((key, mistake)) => {
                wrong.push(format!("{}.{key}: {mistake}", store.section()));
                None
            }
        };
        let read = Self { redis: of(Store::Redis), kafka: of(Store::Kafka), postgres: of(Store::Postgres) };
        if wrong.is_empty() { Ok(read) } else { Err(wrong.join("\n")) }
    }
}

type Mistake = (&'static str, String);

fn read(told: &StoreTls<'_>) -> Result<Option<Tls>, Mistake> {
    if told.mode != Some(TlsMode::VerifyFull) {
        return Ok(None);
    }
    let authorities = told.ca_file.map(|file| text(Part::Authorities, file)).transpose()?;
    let client = match (told.certificate_file, told.key_file) {
        (Some(certificate), Some(key)) => {
            Some((text(Part::Certificate, certificate)?, text(Part::Key, key)?))
        }
        _ => None,
    };
    let shown = client.as_ref().map(|(certificate, key)| (certificate.as_slice(), key.as_slice()));
    let tls = Tls::read(authorities.as_deref(), shown);
    tls.map(Some).map_err(|unusable| named(told, &unusable))
}

fn text(part: Part, file: &Path) -> Result<Vec<u8>, Mistake> {
    files::read(file, LONGEST).map_err(|wrong| (key_of(part), format!("{} {wrong}", file.display())))
}

fn named(told: &StoreTls<'_>, unusable: &Unusable) -> Mistake {
    let file = match unusable.part {
        Part::Authorities => told.ca_file,
        Part::Certificate => told.certificate_file,
        Part::Key => told.key_file,
    };
    let file = file.map(|file| format!("{} ", file.display())).unwrap_or_default();
    (key_of(unusable.part), format!("{file}{unusable}"))
}

const fn key_of(part: Part) -> &'static str {
    match part {
        Part::Authorities => "tls_ca_file",
        Part::Certificate => "tls_certificate_file",
        Part::Key => "tls_key_file",
    }
}
