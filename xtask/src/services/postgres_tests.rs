//! A password is taken out of what is shown and of what other users see in the list of processes.

use super::without_password;

#[test]
fn the_password_leaves_the_address() {
    let (shown, password) = without_password("postgres://tzero:secret@127.0.0.1:5/tzero");
    assert_eq!((shown.as_str(), password.as_deref()), ("postgres://tzero@127.0.0.1:5/tzero", Some("secret")));
}

#[test]
fn an_address_without_one_stays_as_it_is() {
    for url in ["postgres://tzero@127.0.0.1/tzero", "postgres://127.0.0.1/tzero", "dbname=tzero"] {
        assert_eq!(without_password(url), (url.to_owned(), None));
    }
}
