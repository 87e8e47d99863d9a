//! The handle that nodes hold: state, publishing, connecting and disconnecting.

use std::sync::{Arc, Weak};

use tokio::sync::{mpsc, oneshot, watch};

use super::{
    ConnectOptions, Publication,
    inbox::{Inbox, Op},
};

/// Publications that may wait for the broker.
pub(super) const MAX_OUTGOING: usize = 65_536;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Disconnected,
    Connecting,
    Connected,
}

/// Where a connection stands, with what, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionState {
    pub phase: Phase,
    /// The address in use.
    pub broker: Arc<str>,
    /// Why it is not connected; none when that is wanted.
    pub error: Option<Arc<str>>,
    /// How often it has been connected.
    pub count: u64,
}

/// Why a message was not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishFailure {
    #[error("not connected")]
    NotConnected,
    #[error("too many messages wait")]
    Full,
    #[error("{0}")]
    Refused(String),
}

/// Called when a message is published, or not.
pub type Published = Box<dyn FnOnce(Result<(), PublishFailure>) + Send>;

/// A message on its way out.
pub(super) struct Outgoing {
    pub(super) publication: Publication,
    pub(super) published: Option<Published>,
}

impl Outgoing {
    /// Tells whoever waits for it.
    pub(super) fn end(self, result: Result<(), PublishFailure>) {
        if let Some(published) = self.published {
            published(result);
        }
    }
}

/// A connection to a broker. A clone is another handle; the connection ends with the last one.
#[derive(Clone)]
pub struct MqttConnection(Arc<Handle>);

/// What all clones share.
pub(super) struct Handle {
    pub(super) inbox: Arc<Inbox>,
    pub(super) outgoing: mpsc::Sender<Outgoing>,
    pub(super) state: watch::Receiver<ConnectionState>,
    pub(super) options: ConnectOptions,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inbox.push(Op::Close { reply: None });
    }
}

/// A node that keeps a connection up. It says itself when it leaves; dropping it counts as leaving for good.
pub struct User {
    inbox: Arc<Inbox>,
    left: bool,
}

impl User {
    /// The node stops. A connection without users stays up for a node that only restarts.
    pub fn leave(mut self, removed: bool) {
        self.left = true;
        self.inbox.push(Op::Detach { removed });
    }
}

impl Drop for User {
    fn drop(&mut self) {
        if !self.left {
            self.inbox.push(Op::Detach { removed: true });
        }
    }
}

impl MqttConnection {
    pub(super) fn new(handle: Handle) -> Self {
        Self(Arc::new(handle))
    }

    pub(super) fn upgrade(handle: &Weak<Handle>) -> Option<Self> {
        handle.upgrade().map(Self)
    }

    pub(super) fn downgrade(&self) -> Weak<Handle> {
        Arc::downgrade(&self.0)
    }

    pub(super) fn inbox(&self) -> &Arc<Inbox> {
        &self.0.inbox
    }

    /// What it was configured with. A `connect` with other options does not change this.
    pub fn options(&self) -> &ConnectOptions {
        &self.0.options
    }

    /// Where it stands, to look at and to wait on.
    pub fn state(&self) -> watch::Receiver<ConnectionState> {
        self.0.state.clone()
    }

    /// Whether it is connected now.
    pub fn is_connected(&self) -> bool {
        self.0.state.borrow().phase == Phase::Connected
    }

    /// A node uses the connection from now on: it connects, unless that is switched off.
    pub fn attach(&self) -> User {
        self.0.inbox.push(Op::Attach);
        User {
            inbox: self.0.inbox.clone(),
            left: false,
        }
    }

    /// Publishes after what was published before; `published` is called when the broker has acknowledged it.
    ///
    /// # Errors
    /// When too many messages wait already; `published` is not called then.
    pub fn publish(
        &self,
        publication: Publication,
        published: Option<Published>,
    ) -> Result<(), PublishFailure> {
        let outgoing = Outgoing {
            publication,
            published,
        };
        self.0.outgoing.try_send(outgoing).map_err(|error| {
            // The callback holds the message that the caller reports the failure with.
            match error {
                mpsc::error::TrySendError::Full(_) => PublishFailure::Full,
                mpsc::error::TrySendError::Closed(_) => PublishFailure::NotConnected,
            }
        })
    }

    /// Connects now, with other options if given. Ends when connected.
    ///
    /// # Errors
    /// A sentence when it was told to disconnect meanwhile.
    pub fn connect(
        &self,
        options: Option<ConnectOptions>,
    ) -> impl Future<Output = Result<(), String>> + Send + 'static {
        let (reply, wait) = oneshot::channel();
        self.0.inbox.push(Op::Connect {
            options: options.map(Box::new),
            reply,
        });
        async { wait.await.unwrap_or_else(|_| Err(ENDED.into())) }
    }

    /// Disconnects until somebody connects or a new node comes.
    pub fn disconnect(&self) -> impl Future<Output = ()> + Send + 'static {
        let (reply, wait) = oneshot::channel();
        self.0.inbox.push(Op::Disconnect { reply: Some(reply) });
        async {
            // An error means that the connection has ended, which is just as well.
            let _ = wait.await;
        }
    }

    /// Publishes the closing message, disconnects and ends; nothing works through it any more.
    pub fn close(&self) -> impl Future<Output = ()> + Send + 'static {
        let (reply, wait) = oneshot::channel();
        self.0.inbox.push(Op::Close { reply: Some(reply) });
        async {
            let _ = wait.await;
        }
    }
}

/// What waiters hear when a connection ends.
pub(super) const ENDED: &str = "The connection was closed";
