//! How values go together: each relation with the keys it is about and what would be right. Those of time are in
//! [`super::times`], those of TLS with stores in [`super::tls`].

use super::challenge::ChallengeProvider;
use super::mistake::Mistake;
use super::model::{Config, Issuer, JwtAlgorithm, Provider};
use super::network::Network;
use super::origin::Settings;
use super::secret::Secret;
use super::{times, tls};

/// Something that must hold between values.
pub(super) struct Relation {
    /// The keys it is about; the first is the one to change.
    pub(super) keys: &'static [&'static str],
    /// Whether it holds.
    pub(super) holds: fn(&Config) -> bool,
    /// What is wrong and what would be right.
    pub(super) detail: &'static str,
}

/// Of what only a fleet has: whoever sets it means to have one.
pub(super) const WITHOUT_FLEET: &str = "has no effect with the embedded stores; name the stores of a fleet (redis.nodes, kafka.brokers and postgres.url), \
     or leave it out";

const RELATIONS: &[Relation] = &[
    Relation {
        keys: &["processor.retry_max_ms", "processor.retry_min_ms"],
        holds: |config| config.processor.retry_min_ms <= config.processor.retry_max_ms,
        detail: "must be at least processor.retry_min_ms",
    },
    Relation {
        keys: &["status.poll_max_ms", "status.poll_min_ms"],
        holds: |config| config.status.poll_min_ms <= config.status.poll_max_ms,
        detail: "must be at least status.poll_min_ms",
    },
    Relation {
        keys: &["sandbox.latency_max_ms", "sandbox.latency_min_ms"],
        holds: |config| config.sandbox.latency_min_ms <= config.sandbox.latency_max_ms,
        detail: "must be at least sandbox.latency_min_ms",
    },
    Relation {
        keys: &["sandbox.webhook_delay_max_ms", "sandbox.webhook_delay_min_ms"],
        holds: |config| config.sandbox.webhook_delay_min_ms <= config.sandbox.webhook_delay_max_ms,
        detail: "must be at least sandbox.webhook_delay_min_ms",
    },
    Relation {
        keys: &["redis.nodes", "postgres.url"],
        holds: |config| config.redis.nodes.is_empty() != config.has_fleet_stores(),
        detail: "must be set together with kafka.brokers and postgres.url: the stores of a fleet, all three or none",
    },
    Relation {
        keys: &["kafka.brokers", "postgres.url"],
        holds: |config| config.kafka.brokers.is_empty() != config.has_fleet_stores(),
        detail: "must be set together with redis.nodes and postgres.url: the stores of a fleet, all three or none",
    },
    Relation {
        keys: &["fleet.orders_nodes", "postgres.url"],
        holds: |config| config.fleet.orders_nodes.is_empty() || config.has_fleet_stores(),
        detail: "must be empty with the embedded stores: one process has them",
    },
    Relation {
        keys: &["fleet.orders_nodes"],
        holds: |config| {
            let nodes = &config.fleet.orders_nodes;
            nodes.iter().enumerate().all(|(at, node)| !nodes[..at].contains(node))
        },
        detail: "must name each node once: its address is who it is, and users are shared out among nodes",
    },
    Relation {
        keys: &["redis.user", "redis.nodes"],
        holds: |config| config.redis.user.is_none() || config.has_fleet_stores(),
        detail: WITHOUT_FLEET,
    },
    Relation {
        keys: &["redis.password", "redis.nodes"],
        holds: |config| config.redis.password.is_none() || config.has_fleet_stores(),
        detail: WITHOUT_FLEET,
    },
    Relation {
        keys: &["kafka.replication", "kafka.brokers"],
        holds: |config| config.kafka.replication == 0 || config.has_fleet_stores(),
        detail: WITHOUT_FLEET,
    },
    Relation {
        keys: &["fleet.orders_listen", "postgres.url"],
        holds: |config| config.fleet.orders_listen.is_none() || config.has_fleet_stores(),
        detail: WITHOUT_FLEET,
    },
    Relation {
        keys: &["sessions.jwt_key_file", "sessions.issuer", "sessions.jwt_keys_url"],
        holds: |config| {
            let sessions = &config.sessions;
            sessions.issuer != Issuer::Jwt
                || sessions.jwt_key_file.is_some()
                || sessions.jwt_keys_url.is_some()
        },
        detail: "must name the shop's key, because sessions.issuer is \"jwt\"; or set sessions.jwt_keys_url",
    },
    Relation {
        keys: &["sessions.jwt_keys_url", "sessions.jwt_key_file"],
        holds: |config| config.sessions.jwt_keys_url.is_none() || config.sessions.jwt_key_file.is_none(),
        detail: "is set, and sessions.jwt_key_file too; keys come from one of them",
    },
    Relation {
        keys: &["sessions.jwt_keys_url", "sessions.jwt_algorithm"],
        holds: |config| {
            config.sessions.jwt_keys_url.is_none() || config.sessions.jwt_algorithm != JwtAlgorithm::HS256
        },
        detail: "publishes keys, and the key of HS256 is a secret; use sessions.jwt_key_file, or another algorithm",
    },
    Relation {
        keys: &["sessions.jwt_keys_url"],
        holds: |config| config.sessions.jwt_keys_url.as_ref().is_none_or(|url| is_private_way(url.expose())),
        detail: "must begin with https://, because whoever changes the answer on its way signs sessions; \
                 http:// is for this machine alone, such as http://127.0.0.1:8000/keys",
    },
    Relation {
        keys: &["challenge.difficulty_max", "challenge.difficulty_min"],
        holds: |config| config.challenge.difficulty_min <= config.challenge.difficulty_max,
        detail: "must be at least challenge.difficulty_min",
    },
    Relation {
        keys: &["challenge.ttl_ms", "challenge.difficulty_max"],
        holds: |config| {
            is_turnstile(config) || config.challenge.ttl_ms >= 10 * u64::from(config.challenge.difficulty_max)
        },
        detail: "must be at least ten times challenge.difficulty_max: a phone that makes two hundred guesses a second \
                 may need as many milliseconds for the hardest challenge, and one that has expired is good for nothing",
    },
    Relation {
        keys: &["challenge.turnstile_site_key", "challenge.provider"],
        holds: |config| !is_turnstile(config) || config.challenge.turnstile_site_key.is_some(),
        detail: "must be the site's key, because challenge.provider is \"turnstile\"",
    },
    Relation {
        keys: &["challenge.turnstile_secret", "challenge.provider"],
        holds: |config| !is_turnstile(config) || config.challenge.turnstile_secret.is_some(),
        detail: "must be the secret of the site's key, because challenge.provider is \"turnstile\"",
    },
    Relation {
        keys: &["challenge.turnstile_verify_url", "challenge.provider"],
        holds: |config| {
            let url = config.challenge.turnstile_verify_url.as_deref();
            !is_turnstile(config) || url.is_some_and(is_private_way)
        },
        detail: "must begin with https://, because the secret is sent there; \
                 http:// is for this machine alone, such as http://127.0.0.1:8000/siteverify",
    },
    Relation {
        keys: &["server.trusted_proxies"],
        holds: |config| !config.server.trusted_proxies.iter().any(Network::is_everything),
        detail: "must name the proxies' networks and not every address: whoever is trusted says who the client is, so that no \
                 limit of a network and no list would hold",
    },
    Relation {
        keys: &["server.admin_listen", "server.listen"],
        holds: |config| {
            let free_port = config.server.listen.port() == 0;
            free_port || config.server.admin_listen != Some(config.server.listen)
        },
        detail: "must differ from server.listen; leave it empty to serve both on one listener",
    },
    Relation {
        keys: &["sandbox.enabled", "payments.provider", "payments.base_url"],
        holds: |config| !config.payments.is_here() || config.sandbox.enabled,
        detail: "must be true, because payments go to the sandbox in this process; \
                 or name another one in payments.base_url, or another payments.provider",
    },
    Relation {
        keys: &["payments.secret_key", "payments.provider"],
        holds: |config| config.payments.provider != Provider::Stripe || config.payments.secret_key.is_some(),
        detail: "must be the provider's secret key, because payments.provider is \"stripe\"",
    },
    Relation {
        keys: &["payments.webhook_secret", "payments.provider", "payments.base_url"],
        holds: |config| config.payments.is_here() || config.payments.webhook_secret.is_some(),
        detail: "must be the secret with which the provider signs webhooks, because payments leave this process",
    },
    Relation {
        keys: &["payments.webhook_secret_previous", "payments.webhook_secret"],
        holds: |config| {
            config.payments.webhook_secret_previous.is_none() || config.payments.webhook_secret.is_some()
        },
        detail: "is set although payments.webhook_secret is not; set that one first",
    },
    Relation {
        keys: &["admin.token", "server.listen", "server.admin_listen"],
        holds: |config| is_loopback(config) || config.admin.token.is_some(),
        detail: "must be set (in the file or as TZERO_ADMIN_TOKEN), because a listener is not on a loopback address; \
                 or listen on 127.0.0.1",
    },
    Relation {
        keys: &["admin.token", "server.listen", "server.admin_listen"],
        holds: |config| {
            let long = |token: &Secret| token.expose().len() >= SHORTEST_TOKEN;
            is_loopback(config) || config.admin.token.as_ref().is_none_or(long)
        },
        detail: "must have at least 8 characters, because a listener is not on a loopback address; \
                 `openssl rand -hex 16` makes one that nobody guesses",
    },
];

/// Whoever has the operator's token sells the stock: it must not be guessed.
const SHORTEST_TOKEN: usize = 8;

/// Every relation that does not hold; those about a key that is wrong already are passed over.
pub fn relations(config: &Config, settings: &Settings, refused: &[String]) -> Vec<Mistake> {
    let judged = RELATIONS
        .iter()
        .chain(tls::relations())
        .chain(times::RELATIONS)
        .filter(|relation| !relation.keys.iter().any(|key| refused.iter().any(|wrong| wrong == key)));
    let broken = judged.filter(|relation| !(relation.holds)(config));
    broken
        .map(|relation| {
            let key = relation.keys.first().copied().unwrap_or_default();
            Mistake::new(settings.latest(relation.keys), key, relation.detail)
        })
        .collect()
}

fn is_turnstile(config: &Config) -> bool {
    config.challenge.provider == ChallengeProvider::Turnstile
}

/// Whether nobody can change what comes from an address: it is encrypted, or does not leave this machine.
fn is_private_way(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    url.scheme() == "https" || http_client::is_this_machine(&url)
}

/// Whether only this machine can reach the listeners.
fn is_loopback(config: &Config) -> bool {
    let addresses = std::iter::once(config.server.listen).chain(config.server.admin_listen);
    addresses.into_iter().all(|address| address.ip().is_loopback())
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
