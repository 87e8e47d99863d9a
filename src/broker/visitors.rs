//! How many connections each address and each user has, and how fast they come.
//!
//! Programs on this machine are not counted by their address: it is everybody's, and a proxy's.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::time::Instant;

use super::{
    BrokerConfig,
    limits::Limit,
    pace::{Pace, Rate},
    stream::Peer,
};

/// Seconds of connections or logins that may come at once.
const BURST: f64 = 10.0;
/// Addresses that are remembered without an open connection.
const MOST_REMEMBERED: usize = 16 << 10;

/// All who come and are here.
pub(super) struct Visitors {
    connections: AtomicUsize,
    max: usize,
    max_of_address: usize,
    max_of_user: usize,
    connect_rate: Option<Rate>,
    failed_logins: Option<Rate>,
    addresses: Mutex<FxHashMap<IpAddr, Address>>,
    users: Mutex<FxHashMap<Arc<str>, usize>>,
}

struct Address {
    connections: usize,
    coming: Pace,
    failing: Pace,
}

/// The place of one network connection.
pub(super) struct Place {
    visitors: Arc<Visitors>,
    address: Option<IpAddr>,
}

/// A connection of a user.
pub(super) struct UserPlace {
    visitors: Arc<Visitors>,
    name: Arc<str>,
}

impl Visitors {
    pub(super) fn new(config: &BrokerConfig) -> Arc<Self> {
        let rate = |per_second: f64| Rate::new(per_second, (per_second * BURST).max(1.0));
        let per_minute = f64::from(config.max_failed_logins);
        Arc::new(Self {
            connections: AtomicUsize::new(0),
            max: config.max_connections,
            max_of_address: config.max_connections_per_address,
            max_of_user: config.max_connections_per_user,
            connect_rate: rate(f64::from(config.max_connect_rate)),
            failed_logins: Rate::new(per_minute / 60.0, per_minute),
            addresses: Mutex::default(),
            users: Mutex::default(),
        })
    }

    /// A new connection takes its place.
    ///
    /// # Errors
    /// The limit that refuses it.
    pub(super) fn enter(self: &Arc<Self>, peer: Peer) -> Result<Place, Limit> {
        let address = counted(peer);
        if let Some(address) = address {
            self.with(address, |known| {
                let now = Instant::now();
                if let Some(rate) = self.connect_rate
                    && !known.coming.try_one(rate, now)
                {
                    return Err(Limit::ConnectRate);
                }
                if self.max_of_address > 0 && known.connections >= self.max_of_address {
                    return Err(Limit::ConnectionsOfAddress);
                }
                known.connections += 1;
                Ok(())
            })?;
        }
        let others = self.connections.fetch_add(1, Ordering::Relaxed);
        let place = Place {
            visitors: self.clone(),
            address,
        };
        match others < self.max {
            true => Ok(place),
            false => Err(Limit::Connections),
        }
    }

    /// A client of this user has logged in. `is_comeback`: it replaces one that is here.
    ///
    /// # Errors
    /// The limit that refuses it.
    pub(super) fn enter_user(
        self: &Arc<Self>,
        name: &Arc<str>,
        is_comeback: bool,
    ) -> Result<UserPlace, Limit> {
        let mut users = self.users.lock();
        let count = users.entry(name.clone()).or_default();
        if self.max_of_user > 0 && *count >= self.max_of_user && !is_comeback {
            return Err(Limit::ConnectionsOfUser);
        }
        *count += 1;
        Ok(UserPlace {
            visitors: self.clone(),
            name: name.clone(),
        })
    }

    /// Whether a password that comes from there may be looked at. It counts as wrong until [`Visitors::login_was_right`].
    pub(super) fn may_try_login(&self, peer: Peer) -> bool {
        let (Some(address), Some(rate)) = (counted(peer), self.failed_logins) else {
            return true;
        };
        self.with(address, |known| known.failing.try_one(rate, Instant::now()))
    }

    pub(super) fn login_was_right(&self, peer: Peer) {
        if let Some(address) = counted(peer) {
            self.with(address, |known| known.failing.take_back());
        }
    }

    fn with<T>(&self, address: IpAddr, work: impl FnOnce(&mut Address) -> T) -> T {
        let now = Instant::now();
        let mut addresses = self.addresses.lock();
        if addresses.len() >= self.max + MOST_REMEMBERED && !addresses.contains_key(&address) {
            // Whoever has that many addresses is not held by a limit for each.
            addresses.retain(|_, known| known.connections > 0);
        }
        work(addresses.entry(address).or_insert_with(|| Address {
            connections: 0,
            coming: Pace::new(now),
            failing: Pace::new(now),
        }))
    }

    /// Forgets addresses that nothing is to be remembered of.
    pub(super) fn forget(&self) {
        let now = Instant::now();
        let is_over =
            |pace: &mut Pace, rate: Option<Rate>| rate.is_none_or(|rate| pace.is_over(rate, now));
        let mut addresses = self.addresses.lock();
        addresses.retain(|_, known| {
            known.connections > 0
                || !is_over(&mut known.coming, self.connect_rate)
                || !is_over(&mut known.failing, self.failed_logins)
        });
        if addresses.capacity() > 4 * addresses.len() {
            addresses.shrink_to_fit();
        }
    }
}

/// The address that counts for a client: of IPv6 the network, which is one customer's. None for programs on this machine.
fn counted(peer: Peer) -> Option<IpAddr> {
    let Peer::Network(address) = peer else {
        return None;
    };
    match address.ip().to_canonical() {
        ip if ip.is_loopback() => None,
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Some(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
        }
        ip => Some(ip),
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.visitors.connections.fetch_sub(1, Ordering::Relaxed);
        if let Some(address) = self.address
            && let Some(known) = self.visitors.addresses.lock().get_mut(&address)
        {
            known.connections = known.connections.saturating_sub(1);
        }
    }
}

impl Drop for UserPlace {
    fn drop(&mut self) {
        let mut users = self.visitors.users.lock();
        if let Some(count) = users.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                users.remove(&self.name);
            }
        }
    }
}
