//! What can go wrong, said in sentences.

use std::{io, net::SocketAddr};

/// Why the broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    #[error("Another program listens on {0} already.")]
    AddressInUse(SocketAddr),
    #[error("Cannot listen on {address}: {source}")]
    Io {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("The broker's message bus did not start: {0}")]
    Bus(String),
}

/// Why a message was not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    #[error(
        "{0:?} is not a topic to publish to: it is empty, or has a wildcard or a zero character."
    )]
    Topic(String),
    #[error("The message is larger than the broker takes ({size} of {limit} bytes).")]
    TooLarge { size: usize, limit: usize },
    #[error("The broker has stopped.")]
    Stopped,
}

/// Why a filter was not subscribed to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("{0:?} is not a topic filter.")]
    Invalid(String),
    #[error("The session has ended.")]
    Ended,
}
