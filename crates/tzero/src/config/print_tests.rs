//! What is printed can be read again, says where values came from, and shows no secret.

use std::io::Write;

use super::super::{Config, Sources};

#[test]
fn values_carry_their_origins_and_secrets_stay_secret() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"[payments]\nwebhook_secret = \"whsec_very_secret\"\n").unwrap();
    let name = file.path().display().to_string();
    let token = [("TZERO_ADMIN_TOKEN".to_owned(), "open sesame".to_owned())];
    let flags = [("server.listen".to_owned(), "127.0.0.1:0".to_owned())];
    let sources = Sources::new().file(file.path()).environment(token).flags(flags);
    let config = Config::load(sources).unwrap();
    let printed = config.print();
    for line in [
        "[server]\nlisten = \"127.0.0.1:0\"  # command line\n",
        "trusted_proxies = [\"127.0.0.0/8\", \"::1/128\"]  # default\n",
        "client_address_header = \"x-forwarded-for\"  # default\n",
        "user_per_s = 10.0  # default\n",
        &format!("# webhook_secret = …  (set, not shown)  # {name}:2\n"),
        "# token = …  (set, not shown)  # environment variable TZERO_ADMIN_TOKEN\n",
        "secret_key = \"\"  # default\n",
    ] {
        assert!(printed.contains(line), "{line} is not in\n{printed}");
    }
    file.as_file().set_len(0).unwrap();
    file.reopen().unwrap().write_all(printed.as_bytes()).unwrap();
    let again = Config::load(Sources::new().file(file.path())).unwrap();
    assert!(
        again.admin.token.is_none() && again.payments.webhook_secret.is_none(),
        "what is not shown is not set"
    );
    for text in [printed, format!("{config:?}")] {
        assert!(!text.contains("very_secret") && !text.contains("sesame"), "{text}");
    }
}

#[test]
fn an_address_is_shown_without_its_credentials() {
    let set = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let address = "https://ann:pass-word@shop.example/keys";
    let flags = [set("sessions.issuer", "jwt"), set("sessions.jwt_keys_url", address)];
    let config = Config::load(Sources::new().flags(flags)).unwrap();
    let printed = config.print();
    assert!(
        printed.contains("# jwt_keys_url = \"https://***@shop.example/keys\"  (set, not shown)"),
        "{printed}"
    );
    for text in [printed, format!("{config:?}")] {
        assert!(!text.contains("pass-word"), "{text}");
    }
    let wrong = [set("sessions.jwt_keys_url", "https://ann:pass-word@shop.example/keys?a=b")];
    let said = Config::load(Sources::new().flags(wrong)).unwrap_err().to_string();
    assert!(said.contains("***@shop.example") && !said.contains("pass-word"), "{said}");
}

#[test]
fn the_words_in_the_place_of_a_secret_are_no_secret() {
    for key in ["admin.token", "payments.secret_key", "payments.webhook_secret"] {
        let flags = [(key.to_owned(), "(set, not shown)".to_owned())];
        let said = Config::load(Sources::new().flags(flags)).unwrap_err().to_string();
        assert!(said.contains(key) && said.contains("must be the secret itself"), "{said}");
    }
}

#[test]
fn what_is_printed_is_a_configuration() {
    let printed = Config::load(Sources::new()).unwrap().print();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(printed.as_bytes()).unwrap();
    let again = Config::load(Sources::new().file(file.path())).unwrap();
    let without_origins = |text: String| -> Vec<String> {
        text.lines().map(|line| line.split("  # ").next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(without_origins(again.print()), without_origins(printed));
}
