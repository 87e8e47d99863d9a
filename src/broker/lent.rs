//! Ways in and users that flows bring along: they are there as long as what is given here is held.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{At, Broker, LentListener, LentUser, ListenError, ListenerConfig, hash_password};

impl Broker {
    /// Whether there is a TCP listener at this port.
    pub fn is_at_port(&self, port: u16) -> bool {
        let mut listeners = self.listeners().into_iter();
        listeners.any(|(_, address)| address.is_some_and(|address| address.port() == port))
    }

    /// Listens at a further port, with what holds for the first TCP listener without encryption: its network address, and who
    /// may come in; without one, for this machine only.
    ///
    /// # Errors
    /// Another program has the port, or it may not be used.
    pub fn lend_port(&self, port: u16) -> Result<LentListener, ListenError> {
        let listeners = self.listeners();
        let like = listeners
            .iter()
            .filter(|(listener, _)| listener.tls.is_none());
        let found = like
            .filter_map(|(listener, address)| Some((listener, (*address)?)))
            .next();
        let config = match found {
            Some((listener, address)) => ListenerConfig {
                at: At::Tcp(SocketAddr::new(address.ip(), port)),
                websocket: true,
                ..listener.clone()
            },
            None => ListenerConfig::tcp((IpAddr::V4(Ipv4Addr::LOCALHOST), port).into()),
        };
        self.core.listeners.lend(&self.core, config)
    }

    /// A user besides those of the settings. Hashing the password takes some ten milliseconds.
    ///
    /// # Errors
    /// The settings have a user of this name, or the password cannot be hashed.
    pub fn lend_user(&self, name: &str, password: &str) -> Result<LentUser, String> {
        if self.core.access.has_own(name) {
            return Err(format!(
                "The settings have a user \"{name}\", whose password counts"
            ));
        }
        let hash = hash_password(password.as_bytes())?;
        Ok(LentUser::new(&self.core, name, &hash))
    }
}
