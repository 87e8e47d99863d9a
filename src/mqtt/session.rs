//! A session at the built-in broker, as connections use it.

use std::{future::Future, sync::Arc};

use tokio::sync::oneshot;

use super::{Publication, PublishProperties, SubscribeOptions};
use crate::broker::{self, Broker, LocalClient, LocalError, LocalReceiver, Received};

/// A clean session. Dropping it ends it.
pub(super) struct LocalSession {
    client: LocalClient,
    /// Only one waits at a time; a lock that may be held while waiting says so.
    receiver: tokio::sync::Mutex<Receiver>,
}

struct Receiver {
    receiver: LocalReceiver,
    received: Vec<Received>,
    /// The last topic: streams mostly repeat it, and a copy of the pointer is cheaper than one of the text.
    topic: Arc<str>,
}

impl LocalSession {
    /// Opens a session; another one of this name ends.
    ///
    /// # Errors
    /// The broker stops, or has too many sessions.
    pub(super) fn open(broker: &Broker, client_id: &str) -> Result<Self, LocalError> {
        broker.connect_local(client_id).map(Self::new)
    }

    /// Another session of the same client: with "no local messages" neither hears the other.
    ///
    /// # Errors
    /// As for [`LocalSession::open`].
    pub(super) fn sibling(&self, name: &str) -> Result<Self, LocalError> {
        self.client.sibling(name).map(Self::new)
    }

    fn new((client, receiver): (LocalClient, LocalReceiver)) -> Self {
        let receiver = Receiver {
            receiver,
            received: Vec::new(),
            topic: "".into(),
        };
        Self {
            client,
            receiver: tokio::sync::Mutex::new(receiver),
        }
    }

    /// Resolves when the broker has handed the message to its subscribers.
    pub(super) fn publish(
        &self,
        publication: &Publication,
    ) -> impl Future<Output = Result<(), LocalError>> + Send + 'static + use<> {
        let (taken, wait) = oneshot::channel();
        let properties = publication.properties.as_deref().map(to_broker);
        let refused = self.client.publish(
            &publication.topic,
            &publication.payload,
            publication.qos,
            publication.retain,
            properties,
            // Nobody may wait any more.
            Some(Box::new(move || {
                let _ = taken.send(());
            })),
        );
        async move {
            refused?;
            wait.await.map_err(|_| LocalError::Stopping)
        }
    }

    /// Waits until what was published so far has been handed on.
    pub(super) async fn settled(&self) {
        self.client.settled().await;
    }

    /// Subscribes, or changes the options of a filter.
    ///
    /// # Errors
    /// The filter is not valid.
    pub(super) fn subscribe(
        &self,
        filter: &str,
        options: SubscribeOptions,
    ) -> Result<(), LocalError> {
        self.client.subscribe(filter, options)
    }

    /// Ends a subscription.
    pub(super) fn unsubscribe(&self, filter: &str) {
        self.client.unsubscribe(filter);
    }

    /// Waits for messages and adds up to `limit` to `batch`. False: the session is over.
    pub(super) async fn next_batch(&self, batch: &mut Vec<Publication>, limit: usize) -> bool {
        let mut receiver = self.receiver.lock().await;
        let Receiver {
            receiver,
            received,
            topic,
        } = &mut *receiver;
        if !receiver.receive(received, limit).await {
            return false;
        }
        batch.extend(received.drain(..).map(|message| {
            if **topic != *message.topic() {
                *topic = message.topic().into();
            }
            Publication {
                topic: topic.clone(),
                payload: message.payload(),
                qos: message.qos(),
                retain: message.retain(),
                properties: message
                    .properties()
                    .map(|properties| Arc::new(from_broker(properties, message.seconds_left()))),
            }
        }));
        true
    }

    /// How many messages were dropped because nobody took them in time.
    pub(super) fn dropped(&self) -> u64 {
        self.client.dropped()
    }
}

pub(super) fn to_broker(properties: &PublishProperties) -> broker::PublishProperties {
    let owned = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
    broker::PublishProperties {
        payload_format: properties.payload_format,
        message_expiry: properties.message_expiry,
        content_type: owned(&properties.content_type),
        response_topic: owned(&properties.response_topic),
        correlation_data: properties.correlation_data.clone(),
        user_properties: properties
            .user_properties
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect(),
    }
}

pub(super) fn from_broker(
    properties: &broker::PublishProperties,
    seconds_left: Option<u32>,
) -> PublishProperties {
    let shared = |text: &Option<String>| text.as_deref().map(Arc::from);
    PublishProperties {
        payload_format: properties.payload_format,
        message_expiry: seconds_left,
        content_type: shared(&properties.content_type),
        response_topic: shared(&properties.response_topic),
        correlation_data: properties.correlation_data.clone(),
        user_properties: properties
            .user_properties
            .iter()
            .map(|(key, value)| (Arc::from(key.as_str()), Arc::from(value.as_str())))
            .collect(),
    }
}
