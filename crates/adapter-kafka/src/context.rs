//! What the client library says goes to the log of this program. It speaks of brokers and topics, never of records.

use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// Hears what the client library says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// Why a broker and we did not come to terms, said last.
    refused: Arc<Mutex<Option<Refused>>>,
}

/// A broker, or we, would not go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Over TLS, or the lack of it.
    Tls(String),
    /// Over who we are.
    User(String),
}

impl Context {
    /// Why a broker and we did not come to terms.
    pub(crate) fn refused(&self) -> Option<Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Refused {
    fn of(error: &KafkaError, reason: &str) -> Option<Self> {
        let reason = reason.to_owned();
        match error.rdkafka_error_code()? {
            RDKafkaErrorCode::SSL => Some(Self::Tls(reason)),
            RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SaslAuthenticationFailed => {
                Some(Self::User(reason))
            }
            // A guess of the library's own, and an alert that comes after the handshake.
            _ if ["connecting to a SSL listener", "SSL routines"]
                .iter()
                .any(|sign| reason.contains(sign)) =>
            {
                Some(Self::Tls(reason))
            }
            _ => None,
        }
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => tracing::warn!(facility, "Kafka client: {message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                tracing::info!(facility, "Kafka client: {message}");
            }
            RDKafkaLogLevel::Debug => tracing::debug!(facility, "Kafka client: {message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, "Kafka client: {reason}");
        if let Some(refused) = Refused::of(&error, reason) {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused);
        }
    }
}

impl ConsumerContext for Context {}
