//! A client inside this process: no socket and no packets, the same rules.

use std::{future::Future, sync::Arc};

use super::{Delivery, FilterError, Publication, PublishError, SubscribeOptions};

/// A clean session of this process. Dropping it disconnects without the will.
pub struct LocalSession {
    _id: Arc<str>,
    _will: Option<Publication>,
}

impl LocalSession {
    pub(super) fn new(client_id: &str, will: Option<Publication>) -> Self {
        LocalSession {
            _id: Arc::from(client_id),
            _will: will,
        }
    }

    /// Resolves when the dispatcher has taken the message.
    pub fn publish(
        &self,
        _publication: Publication,
    ) -> impl Future<Output = Result<(), PublishError>> + Send + 'static {
        std::future::ready(Err(PublishError::Stopped))
    }

    /// Subscribes, or changes the options of a filter; retained messages follow as `retain_handling` says.
    pub fn subscribe(&self, _filter: &str, _options: SubscribeOptions) -> Result<(), FilterError> {
        Err(FilterError::Ended)
    }

    /// Ends one subscription.
    pub fn unsubscribe(&self, _filter: &str) {}

    /// The next message; `None` when the session has ended.
    pub async fn next(&self) -> Option<Delivery> {
        None
    }

    /// Waits for at least one message and takes up to `max`; 0 when the session has ended.
    pub async fn next_batch(&self, _out: &mut Vec<Delivery>, _max: usize) -> usize {
        0
    }

    /// How many messages were dropped because the queue was full.
    pub fn dropped(&self) -> u64 {
        0
    }

    /// Ends the session, with or without publishing its will.
    pub fn disconnect(&self, _send_will: bool) {}
}
