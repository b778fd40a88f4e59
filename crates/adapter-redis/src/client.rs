//! The connection: one Redis or a cluster, found out by asking; time limits, and what is sent again.
//!
//! Every function may be sent twice without harm: holds are replayed by their claim, effects match what they name or
//! do nothing, chunks are numbered, and a load opens once. So connections that broke are tried again here, a few times and
//! with pauses; what did not answer in time is not: whoever asked is told at once.
//!
//! The cluster's library learns of a new primary from refusals and broken connections. One that hangs gives it neither, and
//! one that the others have left behind says that the cluster is down: both would be asked for ever while their replica
//! sells. So the cluster is connected to anew after an answer that did not come, and after that one.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster::{ClusterClient, ClusterClientBuilder, TlsMode};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr};
use redis::{
    ClientTlsConfig, Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, TlsCertificates, Value,
};
use store_tls::Tls;

/// Pauses before a command is sent again over a new connection, milliseconds.
const PAUSES_MS: [u64; 2] = [50, 200];
/// Redirections and moved slots that the cluster's client follows.
const REDIRECTIONS: u32 = 3;

/// Where Redis is, and how long it may take.
#[derive(Clone, Debug)]
pub struct Address {
    /// `redis://[user:password@]host:port`, with TLS `rediss://…`; for a cluster any of its nodes, better several.
    pub nodes: Vec<String>,
    /// Whom to believe over TLS, and what to show: no connection goes without it then, also none to a node that the cluster
    /// names. There wherever the nodes are `rediss://`.
    pub tls: Option<Tls>,
    /// How long a connection may take, milliseconds.
    pub connect_timeout_ms: u64,
    /// How long an answer may take, milliseconds.
    pub response_timeout_ms: u64,
}

impl Address {
    /// These nodes, with the usual time limits: one second to connect and to answer.
    #[must_use]
    pub fn of(nodes: Vec<String>) -> Self {
        Self { nodes, tls: None, connect_timeout_ms: 1_000, response_timeout_ms: 1_000 }
    }

    /// One node by itself. With TLS, an address without it is refused.
    fn client(&self, node: &str) -> RedisResult<redis::Client> {
        match &self.tls {
            Some(tls) => redis::Client::build_with_tls(node, certificates(tls)),
            None => redis::Client::open(node),
        }
    }

    /// All of them, and those that they name.
    fn cluster(&self) -> ClusterClientBuilder {
        let cluster = ClusterClientBuilder::new(self.nodes.iter().map(String::as_str));
        match &self.tls {
            Some(tls) => cluster.tls(TlsMode::Secure).certs(certificates(tls)),
            None => cluster,
        }
    }
}

fn certificates(tls: &Tls) -> TlsCertificates {
    TlsCertificates {
        client_tls: tls.client().map(|client| ClientTlsConfig {
            client_cert: client.certificate.clone().into_bytes(),
            client_key: client.key.clone().into_bytes(),
        }),
        root_cert: tls.authorities().map(|text| text.as_bytes().to_vec()),
    }
}

/// Whether the node that was asked may have been replaced without knowing: it hangs, or it sees no majority of the others.
fn may_be_left_behind(error: &RedisError) -> bool {
    error.is_timeout() || error.kind() == ErrorKind::Server(ServerErrorKind::ClusterDown)
}

/// A cluster, and the connection to it that everybody uses.
struct Cluster {
    client: ClusterClient,
    connection: RwLock<ClusterConnection>,
    /// Whose turn it is to connect anew: one is enough.
    turn: tokio::sync::Mutex<()>,
    /// How long that may take.
    limit: Duration,
}

impl Cluster {
    fn connection(&self) -> ClusterConnection {
        self.connection.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the nodes that answer who is a primary now. Whoever comes while another one does so has nothing to do.
    async fn connect_anew(&self) {
        let Ok(_turn) = self.turn.try_lock() else { return };
        match tokio::time::timeout(self.limit, self.client.get_async_connection()).await {
            Ok(Ok(fresh)) => {
                *self.connection.write().unwrap_or_else(PoisonError::into_inner) = fresh;
                tracing::info!(
                    "connected anew to the cluster, in which a node does not answer or sees no majority"
                );
            }
            Ok(Err(error)) => tracing::warn!(%error, "the cluster cannot be connected to"),
            Err(_) => tracing::warn!("the cluster cannot be connected to in time"),
        }
    }
}

#[derive(Clone)]
enum Link {
    One(ConnectionManager),
    Cluster(Arc<Cluster>),
}

/// A connection that is shared by everybody.
#[derive(Clone)]
pub(crate) struct Client {
    link: Link,
}

impl Client {
    /// Connects, and finds out whether it is a cluster.
    pub(crate) async fn connect(address: &Address) -> RedisResult<Self> {
        let mut last = RedisError::from((ErrorKind::InvalidClientConfig, "no address of a Redis node"));
        for node in &address.nodes {
            match Self::to(node, address).await {
                Ok(client) => return Ok(client),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn to(node: &str, address: &Address) -> RedisResult<Self> {
        let connect = Duration::from_millis(address.connect_timeout_ms);
        let response = Duration::from_millis(address.response_timeout_ms);
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(connect))
            .set_response_timeout(Some(response))
            .set_min_delay(Duration::from_millis(20))
            .set_max_delay(Duration::from_millis(500))
            .set_number_of_retries(2);
        let mut one = ConnectionManager::new_with_config(address.client(node)?, config).await?;
        let info = one.send_packed_command(redis::cmd("INFO").arg("cluster")).await?.extract_error()?;
        if !crate::library::text(&info).windows(17).any(|part| part == b"cluster_enabled:1") {
            return Ok(Self { link: Link::One(one) });
        }
        let client = address
            .cluster()
            .retries(REDIRECTIONS)
            .min_retry_wait(10)
            .max_retry_wait(200)
            .connection_timeout(connect)
            .response_timeout(response)
            .overall_response_timeout(Some(2 * response))
            .build()?;
        let connection = RwLock::new(client.get_async_connection().await?);
        let limit = 2 * (connect + response);
        Ok(Self {
            link: Link::Cluster(Arc::new(Cluster { client, connection, turn: Default::default(), limit })),
        })
    }

    /// Sends a command to the primary that its keys are on.
    pub(crate) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let mut pauses = PAUSES_MS.iter();
        loop {
            let sent = match self.link.clone() {
                Link::One(mut one) => one.send_packed_command(command).await.and_then(Value::extract_error),
                Link::Cluster(cluster) => {
                    let sent =
                        redis::aio::ConnectionLike::req_packed_command(&mut cluster.connection(), command)
                            .await
                            .and_then(Value::extract_error);
                    if sent.as_ref().is_err_and(may_be_left_behind) {
                        cluster.connect_anew().await;
                    }
                    sent
                }
            };
            match (sent, pauses.next()) {
                (Err(error), Some(pause)) if error.is_connection_dropped() => {
                    tracing::debug!(%error, "sent again over another connection");
                    tokio::time::sleep(Duration::from_millis(*pause)).await;
                }
                (sent, _) => return sent,
            }
        }
    }

    /// Sends a command without keys to the primary of a slot.
    pub(crate) async fn send_to_slot(&self, slot: u16, command: &Cmd) -> RedisResult<Value> {
        match &self.link {
            Link::One(_) => self.send(command).await,
            Link::Cluster(cluster) => {
                let there = SingleNodeRoutingInfo::SpecificNode(Route::new(slot, SlotAddr::Master));
                cluster
                    .connection()
                    .route_command(command.clone(), RoutingInfo::SingleNode(there))
                    .await?
                    .extract_error()
            }
        }
    }

    /// Sends a command without keys to every primary: each one's name with its answer.
    pub(crate) async fn send_to_all(&self, command: &Cmd) -> RedisResult<Vec<(String, Value)>> {
        match self.link.clone() {
            Link::One(mut one) => {
                let value = one.send_packed_command(command).await?.extract_error()?;
                Ok(vec![("this server".to_owned(), value)])
            }
            Link::Cluster(cluster) => {
                let everywhere = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
                let answers =
                    cluster.connection().route_command(command.clone(), everywhere).await?.extract_error()?;
                let Value::Map(answers) = answers else {
                    return Ok(vec![("the cluster".to_owned(), answers)]);
                };
                let named = |(node, value): (Value, Value)| {
                    (String::from_utf8_lossy(crate::library::text(&node)).into_owned(), value)
                };
                Ok(answers.into_iter().map(named).collect())
            }
        }
    }
}

/// Shows where it leads and nothing of who connects.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.link {
            Link::One(_) => "Client(one server)",
            Link::Cluster(_) => "Client(cluster)",
        })
    }
}
