//! Guards of the edge: who is let in, what a client may cost, what is believed. `docs/threats.md` says which threat each meets.

use super::Mutant;

const ADDRESS: &str = "crates/gateway/src/client_address.rs";
const CHECKOUT: &str = "crates/gateway/src/api/checkout.rs";
const JWT: &str = "crates/gateway/src/session/jwt.rs";
const BUILTIN: &str = "crates/gateway/src/session/builtin.rs";
const LISTENER: &str = "crates/gateway/src/listener/mod.rs";
const HTTP1: &str = "crates/gateway/src/listener/http1/mod.rs";
const HTTP2: &str = "crates/gateway/src/listener/http2.rs";
const ROUTES: &str = "crates/gateway/src/routes.rs";
const WEBHOOK: &str = "crates/adapter-payments/src/webhook.rs";

/// A guard of the gateway that one of its own tests attacks.
const GATEWAY: Mutant =
    Mutant { guard: "", file: "", original: "", without: "", package: "gateway", tests: "lib", test: "" };

/// One that is attacked from outside, at the whole program.
const PROGRAM: Mutant = Mutant { package: "tzero", tests: "it", ..GATEWAY };

/// The guards.
pub(super) const GUARDS: &[Mutant] = &[
    Mutant {
        guard: "the subject of a session",
        file: CHECKOUT,
        original: "if form.user != session.user {",
        without: "if form.user != session.user && form.quantity == 0 {",
        test: "checkout::refusals_come_in_the_order_of_the_table",
        ..PROGRAM
    },
    Mutant {
        guard: "the MAC of a session",
        file: BUILTIN,
        original: "if !bool::from(self.mac(signed).ct_eq(mac)) {",
        without: "if self.mac(signed).len() != mac.len() {",
        test: "session::builtin::tests::every_single_bit_matters",
        ..GATEWAY
    },
    Mutant {
        guard: "the end of a session",
        file: BUILTIN,
        original: "(now < expires_at).then_some(session)",
        without: "Some(session)",
        test: "session::builtin::tests::a_session_is_valid_until_its_end_and_not_a_moment_longer",
        ..GATEWAY
    },
    Mutant {
        guard: "the end of a session that is remembered",
        file: JWT,
        original: "return (now < session.expires_at.plus_millis(self.leeway_ms)).then_some(session);",
        without: "return Some(session);",
        test: "session::jwt::tests::a_signed_session_is_valid_until_its_end_and_the_leeway",
        ..GATEWAY
    },
    Mutant {
        guard: "the forgetting of sessions by a key that is gone",
        file: JWT,
        original: "std::mem::take(&mut *remembered)",
        without: "HashMap::<[u8; 32], Session>::new()",
        test: "session::jwt::tests::who_was_let_in_by_a_key_that_is_gone_is_let_in_no_more",
        ..GATEWAY
    },
    Mutant {
        guard: "a shared secret that is no public key",
        file: "crates/gateway/src/session/secret.rs",
        original: "let found = if ARMOURS.iter().any(|armour| contains(&letters, armour)) {",
        without: "let found = if ARMOURS.iter().all(|armour| contains(&letters, armour)) {",
        test: "session::jwt::tests::another_algorithm_is_never_believed_whatever_the_token_says",
        ..GATEWAY
    },
    Mutant {
        guard: "the list of revoked sessions",
        file: CHECKOUT,
        original: "if edge.lists.revoked.load().has(&session) {",
        without: "if false {",
        test: "lists::a_revoked_session_is_refused_and_its_tickets_live_on",
        ..PROGRAM
    },
    Mutant {
        guard: "the MAC of a ticket",
        file: "crates/wire/src/ticket.rs",
        original: "if !bool::from(self.mac(stamp).ct_eq(mac)) {",
        without: "if self.mac(stamp).len() != mac.len() {",
        package: "wire",
        test: "ticket::tests::every_single_bit_matters_and_only_one_writing_is_accepted",
        ..GATEWAY
    },
    Mutant {
        guard: "no-referrer on pages",
        file: "crates/gateway/src/reply.rs",
        original: "    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static(\"no-referrer\"));\n",
        without: "",
        test: "pages::every_page_is_there_and_keeps_to_its_policy",
        ..PROGRAM
    },
    Mutant {
        guard: "what of a user's identifier may be logged",
        file: "crates/domain/src/id.rs",
        original: "f.write_str(\"UserId(…)\")",
        without: "f.write_str(&self.0)",
        package: "domain",
        tests: "values",
        test: "what_a_log_may_show_of_an_identifier_opens_nothing",
    },
    Mutant {
        guard: "the signature of a webhook",
        file: WEBHOOK,
        original: "if !believed {",
        without: "if !believed && secrets.is_empty() {",
        package: "adapter-payments",
        tests: "sandbox",
        test: "only_what_the_provider_signed_lately_is_believed",
    },
    Mutant {
        guard: "the age of a webhook",
        file: WEBHOOK,
        original: "if apart > TOLERANCE_MS {",
        without: "if apart == u64::MAX {",
        package: "adapter-payments",
        tests: "sandbox",
        test: "only_what_the_provider_signed_lately_is_believed",
    },
    Mutant {
        guard: "the amount of a payment",
        file: "crates/domain/src/transition.rs",
        original: "if payment.amount != order.amount {",
        without: "if payment.amount != order.amount && payment.amount.minor < 0 {",
        package: "domain",
        test: "transition::tests::every_state_and_every_change_is_in_the_table",
        ..GATEWAY
    },
    Mutant {
        guard: "the size of a webhook",
        file: "crates/gateway/src/api/payment.rs",
        original: "const LARGEST: usize = 64 << 10;",
        without: "const LARGEST: usize = 64 << 20;",
        test: "hostile::webhooks_that_are_not_the_providers_change_nothing",
        ..PROGRAM
    },
    Mutant {
        guard: "the operator's token",
        file: "crates/gateway/src/admin/mod.rs",
        original: "bool::from(hash(sent).ct_eq(&hash(&edge.admin_token)))",
        without: "hash(sent) != hash(&edge.admin_token[..1])",
        test: "hostile::the_operators_addresses_want_the_token",
        ..PROGRAM
    },
    Mutant {
        guard: "the token of whoever gives money back",
        file: "crates/gateway/src/admin/orders.rs",
        original: "        authorised(&edge, request.headers())?;\n        let body = reply::body",
        without: "        let body = reply::body",
        test: "hostile::the_operators_addresses_want_the_token",
        ..PROGRAM
    },
    Mutant {
        guard: "the operators' own listener",
        file: ROUTES,
        original: "if edge.admin_here {",
        without: "if !edge.admin_token.is_empty() {",
        test: "pages::with_a_listener_of_their_own_operators_have_the_console_there_and_only_there",
        ..PROGRAM
    },
    Mutant {
        guard: "exact counts, which are not public",
        file: ROUTES,
        original: "if apart || crate::admin::authorised(&edge, request.headers()).is_ok() {",
        without: "if apart || !edge.admin_token.is_empty() {",
        test: "pages::machines_read_health_readiness_metrics_and_the_document",
        ..PROGRAM
    },
    Mutant {
        guard: "the size of a head",
        file: HTTP1,
        original: "Ok(None) if self.received.len() > limits.header_bytes => Err(too_large()),",
        without: "Ok(None) if self.received.len() > 1 << 40 => Err(too_large()),",
        tests: "http1",
        test: "a_head_without_an_end_is_refused_once_it_is_too_long",
        ..GATEWAY
    },
    Mutant {
        guard: "the size of a checkout",
        file: HTTP1,
        original: "if length > asked.hot.largest_body() as u64 {",
        without: "if length > 1 << 40 {",
        test: "hostile::huge_heads_and_bodies_are_refused_by_their_size",
        ..PROGRAM
    },
    Mutant {
        guard: "a body of one length",
        file: "crates/gateway/src/listener/http1/head.rs",
        original: "if found.chunked && found.length.is_some() {",
        without: "if found.chunked && found.length == Some(u64::MAX) {",
        test: "listener::http1::head::tests::a_head_of_two_meanings_is_refused",
        ..GATEWAY
    },
    Mutant {
        guard: "the members of a checkout",
        file: "crates/gateway/src/api/checkout_form.rs",
        original: "#[derive(Deserialize, utoipa::ToSchema)]\n#[serde(deny_unknown_fields)]",
        without: "#[derive(Deserialize, utoipa::ToSchema)]",
        test: "api::checkout_form::tests::a_member_too_much_is_refused_though_all_else_is_right",
        ..GATEWAY
    },
    Mutant {
        guard: "streams of HTTP/2 at once",
        file: HTTP2,
        original: "        .max_concurrent_streams(STREAMS)\n",
        without: "",
        tests: "http2",
        test: "who_begins_streams_beyond_the_limit_has_no_more_answered_at_once",
        ..GATEWAY
    },
    Mutant {
        guard: "the size of a head of HTTP/2",
        file: HTTP2,
        original: "(!fits).then(|| limits.head_too_large())",
        without: "(!fits && headers.is_empty()).then(|| limits.head_too_large())",
        tests: "http2",
        test: "heads_have_the_limits_of_http_1",
        ..GATEWAY
    },
    Mutant {
        guard: "the time of a connection of HTTP/2",
        file: HTTP2,
        original: "activity.overdue(limits.header_timeout, limits.idle_timeout)",
        without: "activity.overdue(limits.header_timeout * 99, limits.idle_timeout * 99)",
        tests: "http2",
        test: "a_connection_without_a_request_is_cut_whatever_else_moves_on_it",
        ..GATEWAY
    },
    Mutant {
        guard: "the time of a head",
        file: HTTP1,
        original: "let mut due = since + self.shared.limits.header_timeout;",
        without: "let mut due = since + self.shared.limits.header_timeout * 99;",
        test: "hostile::slow_clients_are_cut_in_time",
        ..PROGRAM
    },
    Mutant {
        guard: "the time of a first head",
        file: HTTP1,
        original: "let due = since + self.shared.limits.header_timeout;",
        without: "let due = since + self.shared.limits.header_timeout * 999;",
        test: "limits::connections_that_say_nothing_give_their_places_back",
        ..PROGRAM
    },
    Mutant {
        guard: "the time of a body as a whole",
        file: "crates/gateway/src/listener/http1/other.rs",
        original: "received = self.receive(due) => received,\n                    };",
        without: "received = { let due = self.shared.clock.elapsed() + self.shared.limits.body_timeout; self.receive(due) } => received,\n                    };",
        tests: "http1",
        test: "a_body_in_drops_is_due_as_a_whole",
        ..GATEWAY
    },
    Mutant {
        guard: "the time in which an answer is taken",
        file: HTTP1,
        original: "let due = self.shared.clock.elapsed() + self.shared.limits.idle_timeout;",
        without: "let due = self.shared.clock.elapsed() + self.shared.limits.idle_timeout * 99;",
        tests: "http1",
        test: "an_answer_that_nobody_takes_ends_its_connection",
        ..GATEWAY
    },
    Mutant {
        guard: "the connections of a network",
        file: LISTENER,
        original: "if *taken >= limit {",
        without: "if *taken > limit << 20 {",
        test: "listener::tests::an_address_has_so_many_seats_unless_it_is_allowed",
        ..GATEWAY
    },
    Mutant {
        guard: "the denied networks",
        file: LISTENER,
        original: "if rule == Some(Rule::Deny) {",
        without: "if limit == usize::MAX && rule == Some(Rule::Deny) {",
        test: "listener::tests::a_denied_network_gets_no_seat_and_is_counted",
        ..GATEWAY
    },
    Mutant {
        guard: "an IPv6 network that is one",
        file: ADDRESS,
        original: "u128::from(address) >> 64 << 64",
        without: "u128::from(address)",
        test: "listener::tests::whoever_has_a_whole_ipv6_network_has_no_more_seats_than_with_one_address",
        ..GATEWAY
    },
    Mutant {
        guard: "whose word an address is",
        file: ADDRESS,
        original: "if !trusted(client) {",
        without: "if client.is_unspecified() {",
        test: "client_address::tests::only_trusted_peers_are_believed",
        ..GATEWAY
    },
    Mutant {
        guard: "what a proxy wrote behind a client's bytes",
        file: ADDRESS,
        original: "line.rsplit(|byte| *byte == b',')",
        without: "line.is_ascii().then_some(line).into_iter().flat_map(|line| line.rsplit(|byte| *byte == b','))",
        test: "client_address::tests::no_bytes_of_a_client_hide_what_a_proxy_wrote_behind_them",
        ..GATEWAY
    },
    Mutant {
        guard: "what a proxy wrote behind a client's quotation mark",
        file: "crates/gateway/src/client_address/forwarded.rs",
        original: "let mut quoted = false;",
        without: "let mut quoted = line.iter().filter(|byte| **byte == b'\"').count() % 2 == 1;",
        test: "client_address::forwarded::tests::no_quotes_of_a_client_hide_the_element_that_a_proxy_appends",
        ..GATEWAY
    },
    Mutant {
        guard: "the one header that names the client",
        file: "crates/gateway/src/hot.rs",
        original: "AddressHeader::Forwarded => self.forwarded,",
        without: "AddressHeader::Forwarded => if self.forwarded.is_none() { self.x_forwarded_for } else { self.forwarded },",
        test: "limits::of_the_two_headers_only_the_one_that_is_configured_counts",
        ..PROGRAM
    },
    Mutant {
        guard: "the one server that a request of HTTP/2 names",
        file: HTTP2,
        original: "named.any(differs)",
        without: "(named.any(differs) && named.count() > 9)",
        tests: "http2",
        test: "a_request_that_names_two_servers_is_refused",
        ..GATEWAY
    },
    Mutant {
        guard: "the limit of whoever asks",
        file: "crates/gateway/src/limits/mod.rs",
        original: "if due > now.saturating_add(tolerance) {",
        without: "if due == u64::MAX {",
        tests: "spray",
        test: "ten_million_users_cost_no_memory_and_use_up_no_buyers_limit",
        ..GATEWAY
    },
    Mutant {
        guard: "the cells that a key has besides its first",
        file: "crates/gateway/src/limits/mod.rs",
        original: "const ROWS: usize = 4;",
        without: "const ROWS: usize = 1;",
        test: "limits::tests::whoever_hammers_uses_up_nobody_elses",
        ..GATEWAY
    },
    Mutant {
        guard: "the limit of a network at checkouts",
        file: CHECKOUT,
        original: "counted.inspect_err(|_| edge.challenger.note(edge, user, Signal::RateLimited))?;\n    network_limit(edge, client)",
        without: "counted.inspect_err(|_| edge.challenger.note(edge, user, Signal::RateLimited))?;\n    network_limit(edge, [127, 0, 0, 1].into()).and(Ok(drop(client)))",
        test: "limits::a_network_is_an_ipv4_address_or_an_ipv6_64_however_many_users_and_addresses_it_has",
        ..PROGRAM
    },
    Mutant {
        guard: "the limit of a network at new sessions",
        file: "crates/gateway/src/api/sessions.rs",
        original: "    network_limit(edge, client)?;\n",
        without: "    network_limit(edge, [127, 0, 0, 1].into()).and(Ok(drop(client)))?;\n",
        test: "limits::a_network_is_an_ipv4_address_or_an_ipv6_64_however_many_users_and_addresses_it_has",
        ..PROGRAM
    },
    Mutant {
        guard: "the places of the queue",
        file: "crates/gateway/src/shedding/mod.rs",
        original: "if before < self.places() {",
        without: "if before < u64::MAX {",
        test: "shedding::tests::whoever_finds_no_place_is_sent_away_and_a_place_given_back_is_free",
        ..GATEWAY
    },
    Mutant {
        guard: "the places of streams",
        file: "crates/gateway/src/api/status.rs",
        original: "if edge.streams.fetch_add(1, Ordering::Relaxed) >= edge.settings.streams {",
        without: "if edge.streams.fetch_add(1, Ordering::Relaxed) == u64::MAX {",
        test: "orders::streams_leave_connections_for_those_who_buy_and_pay",
        ..PROGRAM
    },
    Mutant {
        guard: "the characters of a page",
        file: "crates/gateway/src/page/mod.rs",
        original: "'<' => escaped.push_str(\"&lt;\"),",
        without: "'<' => escaped.push('<'),",
        test: "page::tests::what_people_wrote_is_escaped_everywhere",
        ..GATEWAY
    },
    Mutant {
        guard: "the formulas of an export",
        file: "crates/gateway/src/admin/orders.rs",
        original: "let guarded = if formula {",
        without: "let guarded = if formula && text.is_empty() {",
        test: "injection::users_and_sales_of_another_form_are_nobody_and_nowhere",
        ..PROGRAM
    },
];
