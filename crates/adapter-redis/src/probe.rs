//! What is made sure of before anything is sold: the server, its library, and that a lease cannot outlive what it stands for.
//!
//! Users of least right: [`API_RULES`] for whoever sells, the same and [`RELOADING_RULES`] for whoever renews shards,
//! [`SETUP_RULES`] for whoever [installs](install) the library.

use redis::{RedisError, Value};

use crate::client::{Address, Client};
use crate::keys;
use crate::library::{TEXT, VERSION, naming_runs, text, version_naming_runs};

/// The commands of a program that sells, as rules of `ACL SETUSER`; its keys are those of this crate.
pub const API_RULES: &str = "resetkeys resetchannels -@all ~tz:* +fcall +ping +info +hget +hmget +hset +hdel +hgetall +hscan \
    +lpop +lpush +rpush +lrange +zadd +zrem +zrangebyscore +unlink +time +asking +client|setname \
    +cluster|slots +cluster|shards +cluster|nodes";

/// What whoever renews shards may do besides: load the library again on a primary that has lost it.
pub const RELOADING_RULES: &str = "+function|load +function|delete";

/// The commands of whoever installs the library: functions and questions, no key.
pub const SETUP_RULES: &str = "resetkeys resetchannels -@all +function|load +function|list +function|delete +fcall +ping +info +time \
    +client|setname +cluster|slots +cluster|shards +cluster|nodes";

/// The field of the owner's key.
const OWNER: &str = "fingerprint";

/// Why this Redis cannot be worked with, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It does not answer, or not to this user.
    #[error(
        "Redis cannot be reached, or refuses this user: {0}; check the addresses, redis.tls (a server that speaks TLS alone, or none, does not answer the other), the \
         password and the rights of its user"
    )]
    Unreachable(String),
    /// It does not come to TLS.
    #[error("Redis cannot be reached over TLS: {0}")]
    Tls(String),
    /// A version without functions.
    #[error("{node} runs Redis {version}: function libraries need 7.0 or later")]
    TooOld {
        /// Which primary.
        node: String,
        /// What it says.
        version: String,
    },
    /// It throws keys away when memory is full.
    #[error(
        "{node} has `maxmemory-policy {policy}`, which throws away what was sold: set `maxmemory-policy noeviction`"
    )]
    Evicts {
        /// Which primary.
        node: String,
        /// Its policy.
        policy: String,
    },
    /// Another system has the keys under this name.
    #[error(
        "another system, with another secret, keeps its stock in this Redis under the same name: give each a `fleet.name` of its own \
         (Kafka's topics are called by it, too); where that one is gone for good, remove the key {key}"
    )]
    Owned {
        /// Where it says so.
        key: String,
    },
    /// A primary has no library, or another one.
    #[error(
        "{node} has {found}, and this program speaks version {VERSION} of the function library: install that version on every \
         primary, as `tzero migrate` does (replacing one closes every shard there, and recovery opens them again)"
    )]
    Library {
        /// Which primary.
        node: String,
        /// What is there instead.
        found: String,
    },
    /// What a library remembers outlives it, and the library that is there does not expect that.
    #[error(
        "{node} keeps a function library's memory when the library is loaded anew, and the library there does not name the run of \
         its server: `tzero migrate` installs one that does"
    )]
    LeaseOutlives {
        /// Which primary.
        node: String,
    },
    /// A library remembers nothing from one call to the next.
    #[error(
        "{node} does not keep a function library's memory between two calls ({found}): it cannot be sold on"
    )]
    Forgets {
        /// Which primary.
        node: String,
        /// What the trial found.
        found: String,
    },
}

impl Refusal {
    pub(crate) fn unreachable(error: RedisError) -> Self {
        store_tls::why(&error, "redis").map_or_else(|| Self::Unreachable(error.to_string()), Self::Tls)
    }

    /// The same, of these addresses; nothing is said of users and passwords that they may have.
    pub(crate) fn unreachable_at(address: &Address, error: RedisError) -> Self {
        let bare = |node: &String| node.rsplit(['@', '/']).next().unwrap_or_default().to_owned();
        let nodes: Vec<String> = address.nodes.iter().map(bare).collect();
        match Self::unreachable(error) {
            Self::Unreachable(said) => Self::Unreachable(format!("{}: {said}", nodes.join(", "))),
            refusal => refusal,
        }
    }
}

/// Version, policy and library of every primary; gives what the libraries say of themselves.
///
/// # Errors
/// The first that is not right.
pub(crate) async fn check(client: &Client) -> Result<Vec<String>, Refusal> {
    servers(client).await?;
    let mut command = redis::cmd("FCALL");
    command.arg("tz_version").arg(0);
    let versions = match client.send_to_all(&command).await {
        Ok(versions) => versions,
        Err(error) if error.to_string().contains("Function not found") => {
            let (node, found) = ("a primary".to_owned(), "no function library".to_owned());
            return Err(Refusal::Library { node, found });
        }
        Err(error) => return Err(Refusal::unreachable(error)),
    };
    let mut said = Vec::with_capacity(versions.len());
    for (node, version) in versions {
        let version = String::from_utf8_lossy(text(&version)).into_owned();
        if version != VERSION && version != version_naming_runs() {
            return Err(Refusal::Library { node, found: format!("version {version}") });
        }
        said.push(version);
    }
    Ok(said)
}

/// Takes the keys for the system with this fingerprint, or finds that they are its own.
///
/// # Errors
/// They are another's, or Redis cannot be reached.
pub(crate) async fn own(client: &Client, key: String, fingerprint: &str) -> Result<(), Refusal> {
    let (mut ask, mut take) = (redis::cmd("HGET"), redis::cmd("HSET"));
    ask.arg(&key).arg(OWNER);
    take.arg(&key).arg(OWNER).arg(fingerprint);
    let sent = async |command: &redis::Cmd| client.send(command).await.map_err(Refusal::unreachable);
    if sent(&ask).await? == Value::Nil {
        sent(&take).await?;
    }
    // Of two that find nothing at once, the second to write has it.
    if text(&sent(&ask).await?) == fingerprint.as_bytes() { Ok(()) } else { Err(Refusal::Owned { key }) }
}

async fn servers(client: &Client) -> Result<(), Refusal> {
    let answers = client.send_to_all(redis::cmd("INFO").arg("everything")).await;
    answers.map_err(Refusal::unreachable)?.iter().try_for_each(|(node, info)| server(node, info))
}

/// The same of the one primary that has a slot: a replica that was promoted has not been asked before.
///
/// # Errors
/// What is not right, or that it cannot be reached.
pub(crate) async fn check_slot(client: &Client, slot: u16) -> Result<(), Refusal> {
    let info = client.send_to_slot(slot, redis::cmd("INFO").arg("everything")).await;
    server("the primary of this shard", &info.map_err(Refusal::unreachable)?)
}

/// Version and policy, by what a server says of itself.
fn server(node: &str, info: &Value) -> Result<(), Refusal> {
    let (node, info) = (node.to_owned(), String::from_utf8_lossy(text(info)).into_owned());
    let field = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .unwrap_or("unknown")
            .to_owned()
    };
    let version = field("redis_version");
    if version.split('.').next().and_then(|major| major.parse().ok()).is_none_or(|major: u32| major < 7) {
        return Err(Refusal::TooOld { node, version });
    }
    match field("maxmemory_policy") {
        policy if policy != "noeviction" => Err(Refusal::Evicts { node, policy }),
        _ => Ok(()),
    }
}

/// Tries out on every primary whether what a library remembers ends with it, and loads the library where there is none: the
/// one whose leases name the run of their server, should memory outlive a library on one of them.
/// A library of another version is left alone: replacing it closes every shard.
///
/// # Errors
/// A refusal that says what to do.
pub async fn install(address: &Address) -> Result<(), Refusal> {
    let client = Client::connect(address).await.map_err(|error| Refusal::unreachable_at(address, error))?;
    servers(&client).await?;
    let outlives = try_memory(&client).await?;
    let library = if outlives.is_some() { naming_runs() } else { TEXT.to_owned() };
    let mut load = redis::cmd("FUNCTION");
    load.arg("LOAD").arg(library);
    // Refused where one is there already; which one, the check says. Others have it now.
    if let Err(error) = client.send_to_all(&load).await
        && !error.to_string().contains("already exists")
    {
        return Err(Refusal::unreachable(error));
    }
    let versions = check(&client).await?;
    match outlives {
        Some(node) if versions.iter().any(|version| *version != version_naming_runs()) => {
            Err(Refusal::LeaseOutlives { node })
        }
        _ => Ok(()),
    }
}

/// The same, and puts this version's library where there is another: every shard on such a primary is closed by that, and
/// renewed.
///
/// # Errors
/// A refusal that says what to do.
pub async fn replace(address: &Address) -> Result<(), Refusal> {
    let refused = match install(address).await {
        Err(refused @ (Refusal::Library { .. } | Refusal::LeaseOutlives { .. })) => refused,
        done => return done,
    };
    let client = Client::connect(address).await.map_err(|error| Refusal::unreachable_at(address, error))?;
    let outlives = matches!(refused, Refusal::LeaseOutlives { .. }) || try_memory(&client).await?.is_some();
    let mut load = redis::cmd("FUNCTION");
    load.arg("LOAD").arg("REPLACE").arg(if outlives { naming_runs() } else { TEXT.to_owned() });
    client.send_to_all(&load).await.map_err(Refusal::unreachable)?;
    install(address).await
}

/// A library of the trial's own remembers something and is loaded anew: then it should know nothing. Gives a primary on which
/// it still knows.
async fn try_memory(client: &Client) -> Result<Option<String>, Refusal> {
    let at = client.send_to_all(&redis::cmd("TIME")).await.map_err(Refusal::unreachable)?;
    // A name of its own, so that two trials at once do not meet.
    let digits =
        |value: &Value| crate::library::list(value).iter().flat_map(text).copied().collect::<Vec<u8>>();
    let own = at.first().map(|(_, time)| digits(time)).unwrap_or_default();
    let name = format!("tz_trial_{}", String::from_utf8_lossy(&own));
    let library = format!(
        "#!lua name={name}\nlocal kept = 'nothing'\nredis.register_function{{function_name = '{name}', flags = {{'no-writes'}}, \
         callback = function(K, A) local was = kept; kept = 'something'; return was end}}"
    );
    let mut load = redis::cmd("FUNCTION");
    load.arg("LOAD").arg("REPLACE").arg(library);
    let mut ask = redis::cmd("FCALL");
    ask.arg(&name).arg(0);
    let mut remove = redis::cmd("FUNCTION");
    remove.arg("DELETE").arg(&name);
    let answers = async |command: &redis::Cmd| {
        let answers = client.send_to_all(command).await.map_err(Refusal::unreachable)?;
        let read =
            |(node, answer): (String, Value)| (node, String::from_utf8_lossy(text(&answer)).into_owned());
        Ok::<Vec<(String, String)>, Refusal>(answers.into_iter().map(read).collect())
    };
    answers(&load).await?;
    answers(&ask).await?;
    let kept = answers(&ask).await?;
    answers(&load).await?;
    let reloaded = answers(&ask).await?;
    answers(&remove).await?;
    if let Some((node, found)) = kept.into_iter().find(|(_, found)| found != "something") {
        return Err(Refusal::Forgets { node, found });
    }
    Ok(reloaded.into_iter().find(|(_, found)| found != "nothing").map(|(node, _)| node))
}

/// The whole rule for a user of the API role, as `ACL SETUSER` takes it.
#[must_use]
pub fn api_user(name: &str, password: &str) -> Vec<String> {
    debug_assert!(API_RULES.contains(keys::PATTERN), "the keys of the rules are those of this crate");
    user(name, password, API_RULES)
}

/// The whole rule for a user who renews shards, as `ACL SETUSER` takes it.
#[must_use]
pub fn reconciler_user(name: &str, password: &str) -> Vec<String> {
    user(name, password, &format!("{API_RULES} {RELOADING_RULES}"))
}

/// The whole rule for a user of the setup role, as `ACL SETUSER` takes it.
#[must_use]
pub fn setup_user(name: &str, password: &str) -> Vec<String> {
    user(name, password, SETUP_RULES)
}

fn user(name: &str, password: &str, rules: &str) -> Vec<String> {
    let fixed = [name.to_owned(), "reset".to_owned(), "on".to_owned(), format!(">{password}")];
    fixed.into_iter().chain(rules.split_whitespace().map(str::to_owned)).collect()
}
