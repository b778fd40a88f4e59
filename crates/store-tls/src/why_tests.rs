//! What the clients of the three stores say where TLS fails, and what is made of it.

use super::{why, why_of};

#[test]
fn an_unknown_authority_is_told_from_another_host() {
    let unknown = rustls::Error::from(rustls::CertificateError::UnknownIssuer);
    let io = std::io::Error::new(std::io::ErrorKind::InvalidData, unknown);
    assert!(why(&io, "redis").unwrap().contains("redis.tls_ca_file must name"));
    let other = rustls::Error::from(rustls::CertificateError::NotValidForName);
    assert!(why(&other, "postgres").unwrap().starts_with("its certificate is for another host"));
}

#[test]
fn what_a_server_refuses_is_told_by_its_alert() {
    let alert = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
    assert!(why(&alert, "kafka").unwrap().contains("kafka.tls_certificate_file and kafka.tls_key_file"));
    let alert = rustls::Error::AlertReceived(rustls::AlertDescription::UnknownCA);
    assert!(why(&alert, "kafka").unwrap().starts_with("it does not take the certificate"));
}

#[test]
fn what_librdkafka_says_is_understood() {
    let said = "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be \
                verified";
    assert!(why_of(said, "kafka").unwrap().contains("kafka.tls_ca_file must name"));
}

#[test]
fn other_errors_are_left_alone() {
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    assert_eq!(why(&refused, "redis"), None);
}
