//! Tests.

use super::*;

fn routed(environment: &Matcher, url: &str) -> Option<String> {
    route(environment, &Url::parse(url).unwrap()).map(String::from)
}

#[test]
fn no_proxy_of_the_environment_is_asked_for_what_is_on_this_machine() {
    let environment = Matcher::builder().all("http://proxy.example:3128").build();
    for here in [
        "http://127.0.0.1:8080/v1",
        "https://127.9.9.9/keys",
        "http://127.1/",
        "http://localhost:1/",
        "http://LOCALHOST./",
        "http://a.localhost/",
        "http://[::1]:8080/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0:8080/",
    ] {
        assert_eq!(routed(&environment, here), None, "{here}");
    }
    for elsewhere in ["http://10.0.0.1/", "https://shop.example/keys", "http://localhost.example/"] {
        assert_eq!(
            routed(&environment, elsewhere).as_deref(),
            Some("http://proxy.example:3128/"),
            "{elsewhere}"
        );
    }
}

#[test]
fn a_proxy_of_the_environment_keeps_its_scheme_credentials_and_exceptions() {
    let environment =
        Matcher::builder().https("http://ann:p%40ss@proxy.example:3128").no("intern.example").build();
    let proxy = routed(&environment, "https://shop.example/");
    assert_eq!(proxy.as_deref(), Some("http://ann:p%40ss@proxy.example:3128/"));
    assert_eq!(routed(&environment, "http://shop.example/"), None, "it is for https");
    assert_eq!(routed(&environment, "https://a.intern.example/"), None);
    assert_eq!(routed(&Matcher::builder().build(), "https://shop.example/"), None);
}

/// A listener that says whether anybody came, and answers nobody.
async fn asked(listener: tokio::net::TcpListener) {
    drop(listener.accept().await);
}

#[tokio::test]
async fn a_client_goes_straight_to_this_machine() {
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let goal = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let environment = Matcher::builder().all(format!("http://{}", proxy.local_addr().unwrap())).build();
    let url = format!("http://{}/", goal.local_addr().unwrap());
    let client = crate::builder().proxy(of(environment)).build().unwrap();
    tokio::select! {
        () = asked(proxy) => panic!("the proxy was asked"),
        () = asked(goal) => {}
        _ = client.get(url).send() => panic!("answered"),
    }
}
