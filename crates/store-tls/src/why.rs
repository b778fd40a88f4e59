//! Why TLS with a store did not come about, in words that say what to do.

use std::error::Error;

/// What to do about an error that is one of TLS; `None` for all others. `section` is the store's, as in `[redis]`.
#[must_use]
pub fn why(error: &(dyn Error + 'static), section: &str) -> Option<String> {
    let causes = std::iter::successors(Some(error), |cause| (*cause).source());
    let said: Vec<String> = causes.map(ToString::to_string).collect();
    why_of(&said.join(": "), section)
}

/// What clients say where TLS fails, in small letters, and what it means.
const SIGNS: &[(&[&str], &str)] = &[
    (
        // Kafka's client says no more, whichever it is.
        &["broker certificate could not be verified"],
        "its certificate is not of an authority that is believed here, or is for another host: {s}.tls_ca_file must name the PEM \
         file with the certificate of the authority that issued it, and {s}.brokers addresses that the certificate has",
    ),
    (
        &["unknownissuer", "unknown issuer", "certificate verify failed", "self-signed", "self signed"],
        "its certificate is not of an authority that is believed here: {s}.tls_ca_file must name the PEM file with the \
         certificate of the authority that issued it",
    ),
    (
        &["notvalidforname", "not valid for name", "hostname mismatch", "ip address mismatch"],
        "its certificate is for another host: name it in {s} by an address that its certificate has (a name, or an IP address \
         where the certificate has that), or give it a certificate with this one",
    ),
    (
        &[
            "certificate expired",
            "certificate: expired",
            "certificate has expired",
            "not valid yet",
            "notvalidyet",
            "certificate is not yet valid",
        ],
        "its certificate is out of date, or this machine's clock is wrong: renew the certificate, or put the clock right",
    ),
    (
        &[
            "certificaterequired",
            "certificate required",
            "certificate_required",
            "requires a valid client certificate",
        ],
        "it asks for a certificate of ours: {s}.tls_certificate_file and {s}.tls_key_file must name one that its authority \
         issued",
    ),
    (
        &["unknownca", "unknown ca", "badcertificate", "bad certificate", "decrypterror"],
        "it does not take the certificate that it was shown, or was shown none: {s}.tls_certificate_file and {s}.tls_key_file must \
         name one that its authority issued",
    ),
    (
        &[
            "corrupt message",
            "invalidcontenttype",
            "wrong version number",
            "does not support tls",
            "disconnected before the tls handshake",
            "packet length too long",
        ],
        "it does not speak TLS there: name the address of its TLS listener, or say {s}.tls = \"disable\" where the network is \
         yours alone",
    ),
    (
        &["no encryption", "connecting to a ssl listener"],
        "it takes nobody without TLS: say {s}.tls = \"verify-full\", with {s}.tls_ca_file where its authority is your own",
    ),
];

/// The same, of what a client said.
#[must_use]
pub fn why_of(said: &str, section: &str) -> Option<String> {
    let small = said.to_lowercase();
    let found = SIGNS.iter().find(|(signs, _)| signs.iter().any(|sign| small.contains(sign)));
    found.map(|(_, meaning)| format!("{} ({said})", meaning.replace("{s}", section)))
}

#[cfg(test)]
#[path = "why_tests.rs"]
mod tests;
