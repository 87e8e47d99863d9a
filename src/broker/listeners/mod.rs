//! Where clients come in. Listeners can be added, changed and taken away while the broker runs; connections that are open
//! stay open.

mod accept;
mod certificate;
mod tls;
mod websocket;

use std::{fmt, io, net::SocketAddr, path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio_rustls::{TlsAcceptor, rustls::ServerConnection};
use tokio_util::sync::CancellationToken;

use super::core::Core;

pub use certificate::CertificateName;
pub(super) use websocket::socket_of;

/// A way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    pub at: At,
    /// Encryption; none: what is sent can be read on the way.
    pub tls: Option<TlsConfig>,
    /// Whether MQTT over WebSocket is taken as well as plain MQTT.
    pub websocket: bool,
    /// Whether clients without a name and password may come in; nothing: those of this machine, as long as there are no users.
    pub anonymous: Option<bool>,
    /// Web pages that may connect without a login, such as `https://panel.example`, besides those of this machine; `*`: all.
    pub origins: Vec<String>,
}

/// The place of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// Port 0 takes any free one.
    Tcp(SocketAddr),
    /// A socket in the file system, for programs on this machine.
    Unix(PathBuf),
}

/// The files that TLS needs, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificate, and those between it and the authority.
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Whose certificates clients may show.
    pub client_authority: Option<PathBuf>,
    /// Whether a client without a certificate is refused; without effect if there is no authority.
    pub client_certificate_required: bool,
    /// What of a client's certificate is its user name: such a client needs no password. None: the certificate lets it in, and no more.
    pub client_name: Option<CertificateName>,
    /// Whether clients without TLS are taken at the same port.
    pub plain_too: bool,
}

/// Why there can't be a listener.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("{0} is in use by another program")]
    AddressInUse(At),
    #[error("cannot listen on {0}: {1}")]
    Listen(At, #[source] io::Error),
    /// What about the files of TLS is wrong.
    #[error("{0}")]
    Tls(String),
}

impl ListenerConfig {
    /// MQTT and WebSocket over TCP, without encryption.
    pub fn tcp(address: SocketAddr) -> Self {
        Self {
            at: At::Tcp(address),
            tls: None,
            websocket: true,
            anonymous: None,
            origins: Vec::new(),
        }
    }
}

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(out),
            Self::Unix(path) => path.display().fmt(out),
        }
    }
}

/// What happens to whoever comes in at a listener now.
struct Door {
    config: ListenerConfig,
    tls: Option<TlsAcceptor>,
}

impl Door {
    fn new(config: ListenerConfig) -> Result<Self, ListenError> {
        let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
        Ok(Self { config, tls })
    }

    /// The user name in the certificate that the client has shown, where that counts.
    fn name_of(&self, connection: &ServerConnection) -> Option<Arc<str>> {
        let wanted = self.config.tls.as_ref()?.client_name?;
        let shown = connection.peer_certificates()?.first()?;
        wanted.of(shown).map(Arc::from)
    }
}

/// Places that are taken, where nobody is served yet: clients that come wait.
pub struct BoundListeners(Vec<(accept::Bound, Door)>);

impl BoundListeners {
    /// Takes these places, all of them or none.
    ///
    /// # Errors
    /// The first one that can't be.
    pub fn bind(wanted: Vec<ListenerConfig>) -> Result<Self, ListenError> {
        let bind = |config: ListenerConfig| {
            let place = config.at.clone();
            let door = Door::new(config)?;
            Ok((accept::bind(&place)?, door))
        };
        wanted
            .into_iter()
            .map(bind)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

struct Running {
    door: Arc<ArcSwap<Door>>,
    /// Where it listens in fact, if it is an address.
    address: Option<SocketAddr>,
    stop: CancellationToken,
    /// It is there as long as somebody wants it, beside those that are set.
    is_lent: bool,
}

/// A listener beside those that are set. Dropping it takes it away.
pub struct LentListener {
    core: Arc<Core>,
    place: At,
}

impl Drop for LentListener {
    fn drop(&mut self) {
        self.core.listeners.take_back(&self.place);
    }
}

/// The listeners there are.
#[derive(Default)]
pub(super) struct Listeners(Mutex<Vec<Running>>);

impl Listeners {
    /// Makes these listeners the ones there are, all or none of them. Those that are there already go on; one whose place
    /// is the same and the rest is not changes for whoever comes next.
    ///
    /// # Errors
    /// The first one that can't be; everything is as before then.
    pub(super) fn set(
        &self,
        core: &Arc<Core>,
        wanted: Vec<ListenerConfig>,
    ) -> Result<(), ListenError> {
        let mut running = self.0.lock();
        let mut begin = Vec::new();
        let mut change = Vec::new();
        let mut keep = vec![false; running.len()];
        for config in wanted {
            let place = config.at.clone();
            let door = Door::new(config)?;
            let mut known = running.iter().zip(&keep);
            match known.position(|(one, kept)| !kept && one.is_at(&place)) {
                Some(index) => {
                    keep[index] = true;
                    running[index].is_lent = false;
                    change.push((index, door));
                }
                None => begin.push((accept::bind(&place)?, door)),
            }
        }
        for (index, door) in change {
            running[index].door.store(Arc::new(door));
        }
        let mut keep = keep.into_iter();
        running.retain(|one| {
            let stays = keep.next().unwrap_or(true) || one.is_lent;
            if !stays {
                one.stop.cancel();
            }
            stays
        });
        Self::serve(&mut running, core, begin, false);
        Ok(())
    }

    /// Takes a further place, for as long as the listener that it gives is held.
    ///
    /// # Errors
    /// There can't be one.
    pub(super) fn lend(
        &self,
        core: &Arc<Core>,
        config: ListenerConfig,
    ) -> Result<LentListener, ListenError> {
        let place = config.at.clone();
        let BoundListeners(bound) = BoundListeners::bind(vec![config])?;
        Self::serve(&mut self.0.lock(), core, bound, true);
        Ok(LentListener {
            core: core.clone(),
            place,
        })
    }

    fn take_back(&self, place: &At) {
        self.0.lock().retain(|one| {
            let is_it = one.is_lent && one.is_at(place);
            if is_it {
                one.stop.cancel();
            }
            !is_it
        });
    }

    /// Serves places that are taken.
    pub(super) fn begin(&self, core: &Arc<Core>, bound: BoundListeners) {
        Self::serve(&mut self.0.lock(), core, bound.0, false);
    }

    fn serve(
        running: &mut Vec<Running>,
        core: &Arc<Core>,
        begin: Vec<(accept::Bound, Door)>,
        is_lent: bool,
    ) {
        for (bound, door) in begin {
            let one = Running {
                door: Arc::new(ArcSwap::from_pointee(door)),
                address: bound.address(),
                stop: core.shutdown.child_token(),
                is_lent,
            };
            bound.serve(core, one.door.clone(), one.stop.clone());
            running.push(one);
        }
    }

    /// What each listener is, and the address that it has in fact.
    pub(super) fn list(&self) -> Vec<(ListenerConfig, Option<SocketAddr>)> {
        let running = self.0.lock();
        let one = |one: &Running| (one.door.load().config.clone(), one.address);
        running.iter().map(one).collect()
    }
}

impl Running {
    fn is_at(&self, place: &At) -> bool {
        let door = self.door.load();
        door.config.at == *place
            || matches!((place, self.address), (At::Tcp(wanted), Some(own)) if *wanted == own)
    }
}
