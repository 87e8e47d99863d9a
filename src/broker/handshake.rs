//! From CONNECT to CONNACK: who may come in, and which session is whose.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;

use super::{
    access::Identity,
    client::{Client, ClientParts},
    codec::{ConnAck, Connect, Version, encode_connack, reason},
    core::Core,
    events::Happening,
    inspect::{About, now_ms},
    limits::Limit,
    outbox::Link,
    session::Session,
    sessions::{NEVER, Start},
    stream::{Entry, Peer},
    visitors::UserPlace,
};

/// Longer client identifiers are refused.
const MAX_CLIENT_ID: usize = 1024;
/// How long a client waits for its older connection to end.
const LEAVE: Duration = Duration::from_millis(500);
/// Topic aliases that a client may set, and that it gets at most.
pub(super) const TOPIC_ALIASES: u16 = 64;

/// Writes a CONNACK that refuses.
pub(super) fn refuse(out: &mut BytesMut, version: Version, reason: u8) {
    let ack = ConnAck {
        reason,
        ..ConnAck::default()
    };
    encode_connack(out, version, &ack);
}

/// Opens the client's session and writes CONNACK; none if it is refused.
pub(super) async fn open(
    core: &Arc<Core>,
    connect: Connect,
    entry: Entry,
    out: &mut BytesMut,
) -> Option<Client> {
    let version = connect.version;
    let peer = entry.peer;
    let mut reject = |reason| {
        tracing::info!("Client at {peer} refused: reason code {reason:#04x}");
        core.tell_refused(&connect, peer, reason);
        refuse(out, version, reason);
    };
    let limits = &core.counters.limits;
    if let Err(reason) = check(core, &connect, peer) {
        reject(reason);
        return None;
    }
    let (name, password) = (connect.user.as_deref(), connect.password.as_deref());
    let anonymous = core.lets_in_anonymous(peer, entry.anonymous);
    let may_try = || core.visitors.may_try_login(peer);
    let login = async {
        match entry.name {
            Some(name) => core.access.certified(name),
            None => core.access.login(name, password, anonymous, may_try).await,
        }
    };
    let user = match login.await {
        Ok((user, tried)) => {
            if tried {
                core.visitors.login_was_right(peer);
            }
            user
        }
        Err(reason) => {
            if reason == Limit::FailedLogins.reason() {
                limits.add(Limit::FailedLogins, &peer);
            }
            reject(reason);
            return None;
        }
    };
    let assigned = connect.client_id.is_empty().then(new_client_id);
    let id = assigned.as_deref().unwrap_or(&connect.client_id);
    let identity = core.access.identity(user, id);
    let place = match core.enter_user(&identity, id) {
        Ok(place) => place,
        Err(limit) => {
            limits.add(limit, &peer);
            reject(limit.reason());
            return None;
        }
    };
    let will = connect.will.as_ref();
    if will.is_some_and(|will| !identity.may_publish(&will.topic)) {
        reject(reason::NOT_AUTHORIZED);
        return None;
    }
    let wanted = match version {
        Version::V5 => connect.properties.receive_maximum.unwrap_or(u16::MAX),
        _ => u16::MAX,
    };
    let window = core.config.max_inflight.min(wanted.into());
    let receive_maximum = u16::try_from(core.config.max_inflight).unwrap_or(u16::MAX);
    let keep_alive = keep_alive(core, connect.keep_alive);
    let expiry = match version {
        Version::V5 => connect.properties.session_expiry.unwrap_or(0),
        _ if connect.clean_start => 0,
        _ => NEVER,
    };
    let start = Start {
        clean: connect.clean_start,
        expiry,
    };
    // First what the older connection still has to say: a client may say goodbye and come back at once.
    if let Some((session, older)) = core.sessions.ask_to_leave(id, &identity) {
        session.end_of(older, LEAVE).await;
    }
    let opened = match core
        .sessions
        .open(id, start, Link::Remote, window, None, identity)
    {
        Ok(opened) => opened,
        Err(reason) => {
            if reason == Limit::Sessions.reason() {
                limits.add(Limit::Sessions, &peer);
            }
            reject(reason);
            return None;
        }
    };
    if let Some(old) = opened.replaced {
        core.end(&old);
    }
    opened.session.set_about(About {
        peer,
        version,
        since: now_ms(),
        keep_alive,
    });
    core.counters.connections.add(1);
    core.counters.packets_in.add(1);
    core.counters.packets_out.add(1);
    core.wills.take_back(&opened.session);
    // The rules may have changed since the password was looked at.
    core.renew_identity(&opened.session);
    // One that is gone on with and is to end with this connection is told so, too.
    if core.journal.is_on() && (expiry > 0 || opened.session.is_durable()) {
        opened.session.set_durable();
        core.store_session(&opened.session, expiry, None);
        core.stored().await;
    }
    encode_connack(
        out,
        version,
        &ConnAck {
            session_present: opened.present,
            reason: reason::SUCCESS,
            assigned_client_id: assigned.as_deref(),
            maximum_packet_size: u32::try_from(core.config.max_packet_size).unwrap_or(u32::MAX),
            topic_alias_maximum: TOPIC_ALIASES,
            receive_maximum,
            keep_alive: (keep_alive != connect.keep_alive).then_some(keep_alive),
        },
    );
    core.tell(&opened.session, || Happening::Connected);
    Some(Client::new(ClientParts {
        core: core.clone(),
        session: opened.session,
        connection: opened.connection,
        resumed: opened.present,
        _place: place,
        version,
        // [MQTT-3.1.2-22]
        patience: (keep_alive > 0).then(|| Duration::from_millis(u64::from(keep_alive) * 1500)),
        receive_maximum: (version == Version::V5).then_some(receive_maximum),
        topic_aliases: connect
            .properties
            .topic_alias_maximum
            .map_or(0, |most| most.min(TOPIC_ALIASES)),
        max_packet: connect
            .properties
            .maximum_packet_size
            .map_or(usize::MAX, |size| size as usize),
        expiry,
        will: connect.will,
    }))
}

/// Seconds: what the client wants, within the limit that there may be. 0 is none.
fn keep_alive(core: &Core, wanted: u16) -> u16 {
    match core.config.max_keep_alive {
        0 => wanted,
        limit if wanted == 0 => limit,
        limit => wanted.min(limit),
    }
}

fn check(core: &Core, connect: &Connect, peer: Peer) -> Result<(), u8> {
    if connect.properties.has_auth_method {
        return Err(reason::BAD_AUTHENTICATION_METHOD);
    }
    // Only MQTT 5 can tell a client to be heard more often.
    if connect.version < Version::V5 && keep_alive(core, connect.keep_alive) != connect.keep_alive {
        core.counters.limits.add(Limit::KeepAlive, &peer);
        return Err(reason::CLIENT_ID_NOT_VALID);
    }
    let id = &connect.client_id;
    // A client without a name cannot come back to its session [MQTT-3.1.3-8]; MQTT 3.1 wants a name always.
    let nameless = id.is_empty()
        && (connect.version == Version::V31
            || connect.version == Version::V311 && !connect.clean_start);
    if nameless || id.len() > MAX_CLIENT_ID {
        return Err(reason::CLIENT_ID_NOT_VALID);
    }
    Ok(())
}

impl Core {
    /// A client takes its place among those of its user, if it has one.
    fn enter_user(&self, identity: &Identity, id: &str) -> Result<Option<UserPlace>, Limit> {
        let Some(user) = identity.user() else {
            return Ok(None);
        };
        let here = self.sessions.get(id);
        let replaces = |old: Arc<Session>| old.is_online() && old.identity().user() == Some(user);
        let is_comeback = here.is_some_and(replaces);
        self.visitors.enter_user(user, is_comeback).map(Some)
    }
}

fn new_client_id() -> String {
    let random = getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()));
    format!("auto-{random:016x}")
}
