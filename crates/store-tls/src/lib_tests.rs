//! Files as people give them: right, mixed up, of another kind, and none at all.

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};

use super::{Part, Tls, Unusable};

struct Made {
    authority: String,
    certificate: String,
    key: String,
}

fn made() -> Made {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, key).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["client".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    Made { authority: authority.pem(), certificate: certificate.pem(), key: key.serialize_pem() }
}

fn refused(authorities: &str, client: Option<(&str, &str)>) -> Unusable {
    let client = client.map(|(certificate, key)| (certificate.as_bytes(), key.as_bytes()));
    Tls::read(Some(authorities.as_bytes()), client).unwrap_err()
}

#[test]
fn several_authorities_in_one_file_are_all_believed() {
    let both = made().authority + &made().authority;
    let tls = Tls::read(Some(both.as_bytes()), None).unwrap();
    assert_eq!(tls.authorities(), Some(both.as_str()));
    assert_eq!(super::named_authorities(both.as_bytes()).unwrap().len(), 2);
}

#[test]
fn a_certificate_is_shown_with_its_key() {
    let made = made();
    let client = Some((made.certificate.as_bytes(), made.key.as_bytes()));
    let tls = Tls::read(Some(made.authority.as_bytes()), client).unwrap();
    assert!(tls.config().client_auth_cert_resolver.has_certs());
    assert_eq!(tls.client().unwrap().key, made.key);
    assert!(!format!("{tls:?}").contains("PRIVATE"), "{tls:?}");
}

#[test]
fn each_file_is_refused_for_what_is_wrong_with_it() {
    let (made, other) = (made(), made());
    let not_pem = refused("hello", None);
    assert_eq!(not_pem.part, Part::Authorities);
    assert!(not_pem.wrong.starts_with("is not PEM: it must"), "{not_pem}");
    let of_another_kind = refused(&made.key, None);
    assert!(of_another_kind.wrong.starts_with("is PEM of another kind"), "{of_another_kind}");
    let cut = made.authority.replace("-----END CERTIFICATE-----", "");
    assert!(refused(&cut, None).wrong.starts_with("is not PEM throughout"));
    let no_key = refused(&made.authority, Some((&made.certificate, &made.certificate)));
    assert_eq!(no_key.part, Part::Key);
    let foreign_key = refused(&made.authority, Some((&made.certificate, &other.key)));
    assert_eq!(foreign_key.part, Part::Key);
    assert!(foreign_key.wrong.starts_with("is not the key of the certificate"), "{foreign_key}");
    let no_certificate = refused(&made.authority, Some((&made.key, &made.key)));
    assert_eq!(no_certificate.part, Part::Certificate);
}

#[test]
fn a_key_with_a_passphrase_is_told_from_none() {
    let made = made();
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let refusal = refused(&made.authority, Some((&made.certificate, encrypted)));
    assert!(refusal.wrong.contains("passphrase"), "{refusal}");
}
