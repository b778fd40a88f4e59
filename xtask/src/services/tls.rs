//! An authority of the services' own, and what it issues: for stores that speak TLS as managed ones do.
//!
//! The servers' certificate is for 127.0.0.1 and for no name; the servers ask for a certificate of whoever comes. A second
//! authority, which has issued nothing that is used here, is there to be believed by mistake.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::place::{Place, make_folder};
use crate::needs::{Need, Proof};
use crate::steps::answer;
use crate::workspace::Outcome;

/// What makes the certificates.
pub const OPENSSL: Need = Need {
    name: "OpenSSL's program",
    proof: Proof::OneOf(&["openssl"]),
    packages: &["openssl"],
    otherwise: "install OpenSSL 3, so that `openssl` is on the path",
};

const SETTINGS: &str = "[req]\ndistinguished_name = nobody\n[nobody]\n\
    [authority]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\nsubjectKeyIdentifier = hash\n\
    [server]\nbasicConstraints = CA:FALSE\nsubjectAltName = IP:127.0.0.1\n\
    [client]\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:tzero\n";

/// The files of one place.
#[derive(Clone, Debug)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Of this place, whether they are there or not.
    pub fn of(place: &Place) -> Self {
        Self { folder: place.folder.join("tls") }
    }

    /// A file of them: `ca.pem`, `server.pem`, `server.key`, `client.pem`, `client.key`, `stranger.pem`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The text of one.
    pub fn text(&self, name: &str) -> Result<String, String> {
        let file = self.file(name);
        std::fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))
    }

    /// Makes them where they are missing.
    pub fn make(&self) -> Outcome {
        if self.file("complete").is_file() {
            return Ok(());
        }
        crate::needs::provide(&[OPENSSL])?;
        make_folder(&self.folder)?;
        let write = |name: &str, text: &str| {
            let file = self.file(name);
            std::fs::write(&file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
        };
        write("openssl.cnf", SETTINGS)?;
        self.issue("ca", "authority", None)?;
        self.issue("stranger", "authority", None)?;
        self.issue("server", "server", Some("ca"))?;
        self.issue("client", "client", Some("ca"))?;
        write("complete", "")
    }

    /// A key and a certificate for it, by `issuer` or by itself.
    fn issue(&self, name: &str, kind: &str, issuer: Option<&str>) -> Outcome {
        let pem = |name: &str| self.file(&format!("{name}.pem"));
        let key = |name: &str| self.file(&format!("{name}.key"));
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]);
        command.args(["-days", "3650", "-subj", &format!("/CN=tzero {name}"), "-extensions", kind]);
        command.arg("-config").arg(self.file("openssl.cnf"));
        if let Some(issuer) = issuer {
            command.arg("-CA").arg(pem(issuer)).arg("-CAkey").arg(key(issuer));
        }
        answer(command.arg("-keyout").arg(key(name)).arg("-out").arg(pem(name))).map(drop)
    }
}

/// A path as settings files have it.
pub fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
