//! Addresses as people write them.

use super::{hosts, speaks_of_tls};

#[test]
fn hosts_are_found_in_both_forms() {
    for (address, expected) in [
        ("postgres://tzero:p@127.0.0.1:5432/tzero", &["127.0.0.1"][..]),
        ("postgresql://db.example.com/tzero?connect_timeout=3", &["db.example.com"]),
        ("postgres://tzero:p%40ss@a:1,b:2/tzero", &["a", "b"]),
        ("postgres://[::1]:5432/tzero", &["[::1]"]),
        ("postgres://[2001:db8::1]/tzero", &["[2001:db8::1]"]),
        ("postgres://tzero@%2Frun%2Fpostgresql/tzero", &[]),
        ("postgres:///tzero?host=/run/postgresql", &[]),
        ("postgres:///tzero?host=db.example.com", &["db.example.com"]),
        ("host=a,b user=tzero dbname=tzero", &["a", "b"]),
        ("host='db.example.com' hostaddr=10.0.0.1", &["db.example.com", "10.0.0.1"]),
        ("host = db.example.com user = tzero", &["db.example.com"]),
        ("user='two words' password='it\\'s = x' host= 'db.example.com'", &["db.example.com"]),
        ("password=a\\ host=b", &[]),
        ("user=tzero dbname=tzero", &[]),
    ] {
        assert_eq!(hosts(address), expected, "{address}");
    }
}

#[test]
fn what_it_says_of_tls_is_found() {
    assert!(speaks_of_tls("postgres://a/b?sslmode=verify-full"));
    assert!(speaks_of_tls("postgres://a/b?connect_timeout=3&sslrootcert=ca.pem"));
    assert!(speaks_of_tls("host=a sslmode=require"));
    assert!(speaks_of_tls("host = a sslmode = require"));
    assert!(!speaks_of_tls("host=a password='sslmode=require'"));
    assert!(!speaks_of_tls("postgres://a:sslmode=no@b/c?application_name=sslmode"));
}
