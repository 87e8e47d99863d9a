//! From Mosquitto's lines to settings, users and rules.

use std::{
    fmt::Write,
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::{
    ImportError, Imported, access,
    bridge::{Bridge, is_true, number},
    lines::{Line, Place},
    options::{Fate, fate},
};

/// A way in.
struct Listener {
    place: Place,
    /// 0 with a path: a Unix socket.
    port: u16,
    host: Option<String>,
    websocket: bool,
    anonymous: Option<bool>,
    origins: Vec<String>,
    certificate: Option<String>,
    key: Option<String>,
    authority: Option<String>,
    wants_certificates: bool,
    /// What of a certificate is the user's name.
    client_name: Option<&'static str>,
}

impl Listener {
    fn new(place: &Place, port: u16, host: Option<String>) -> Self {
        Self {
            place: place.clone(),
            port,
            host,
            websocket: false,
            anonymous: None,
            origins: Vec::new(),
            certificate: None,
            key: None,
            authority: None,
            wants_certificates: false,
            client_name: None,
        }
    }
}

/// A text as it stands in TOML.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// What is gathered while the lines are read.
#[derive(Default)]
struct Reading {
    limits: String,
    listeners: Vec<Listener>,
    /// The listener without a `listener` line, which the options before the first one are about.
    default: Option<Listener>,
    /// It has got a port or an address.
    default_is_meant: bool,
    /// The last `listener` or `connection` line decides whose options come behind it.
    in_bridge: bool,
    bridges: Vec<Bridge>,
    anonymous: Option<bool>,
    per_listener: bool,
    passwords: Vec<PathBuf>,
    rules: Vec<PathBuf>,
}

/// Whether an option without a counterpart says what is so here anyway.
fn is_ours(line: &Line) -> bool {
    let ours = match &*line.name {
        "persistence"
        | "retain_available"
        | "retained_persistence"
        | "connection_messages"
        | "notifications"
        | "bridge_outgoing_retain" => "true",
        "per_listener_settings"
        | "queue_qos0_messages"
        | "upgrade_outgoing_qos"
        | "use_username_as_clientid"
        | "local_cleansession"
        | "round_robin"
        | "bridge_require_ocsp"
        | "proxy_protocol_v2" => "false",
        "max_qos" => "2",
        "start_type" => "automatic",
        "log_dest" => "stderr",
        _ => return false,
    };
    line.value == ours
}

/// Makes settings, users and rules of the lines.
///
/// # Errors
/// The first line that can't be understood, with its place.
pub(super) fn convert(lines: &[Line], imported: &mut Imported) -> Result<(), ImportError> {
    let mut reading = Reading::default();
    for line in lines {
        let Some(fate) = fate(&line.name) else {
            return Err(line.place.error(&format!(
                "\"{}\" is no option of Mosquitto that Flowrill knows",
                line.name
            )));
        };
        match fate {
            Fate::As(_) => reading.take(line)?,
            Fate::Needless(_) => {}
            Fate::Without(_) if is_ours(line) => {}
            Fate::Without(reason) => {
                if line.name == "per_listener_settings" {
                    reading.per_listener = is_true(line)?;
                }
                let what = match line.name.contains("password") || line.name.contains("psk") {
                    true => line.name.clone(),
                    false => format!("{} {}", line.name, line.value),
                };
                imported
                    .left
                    .push(format!("{}: {}: {reason}", line.place, what.trim()));
            }
        }
    }
    reading.finish(imported)
}

impl Reading {
    fn take(&mut self, line: &Line) -> Result<(), ImportError> {
        match &*line.name {
            "connection" => {
                self.bridges.push(Bridge::new(line)?);
                self.in_bridge = true;
                return Ok(());
            }
            "listener" => {
                self.in_bridge = false;
                let mut parts = line.value.splitn(2, char::is_whitespace);
                let port = parts.next().and_then(|port| port.parse().ok());
                let port = port.ok_or_else(|| line.place.error("a listener needs a port"))?;
                let host = parts.next().map(|host| host.trim().to_owned());
                self.listeners.push(Listener::new(&line.place, port, host));
                return Ok(());
            }
            _ => {}
        }
        if let (true, Some(bridge)) = (self.in_bridge, self.bridges.last_mut()) {
            return bridge.take(line);
        }
        self.set(line)
    }

    fn set(&mut self, line: &Line) -> Result<(), ImportError> {
        let value = &line.value;
        let limit = match &*line.name {
            "max_connections" | "global_max_connections" => "max_connections",
            "global_max_clients" => "max_sessions",
            "max_inflight_messages" => "max_inflight",
            "max_keepalive" => "max_keep_alive",
            "max_packet_size" | "message_size_limit" => "max_packet_size",
            "max_queued_messages" => "offline_messages",
            "max_queued_bytes" => "offline_bytes",
            "memory_limit" => "max_memory",
            _ => return self.set_listener(line),
        };
        let given: i64 = value
            .parse()
            .map_err(|_| line.place.error(&format!("\"{value}\" is no number")))?;
        // -1 and mostly 0, too, mean that there is no limit: ours stays.
        let given = match (&*line.name, given) {
            (_, ..=0) => return Ok(()),
            ("message_size_limit", given) => given + 1024,
            ("max_inflight_messages" | "max_keepalive", given) => given.min(65_535),
            (_, given) => given,
        };
        if self.limits.contains(&format!("{limit} = ")) {
            let lines = self
                .limits
                .lines()
                .filter(|line| !line.starts_with(&format!("{limit} = ")));
            self.limits = lines.map(|line| format!("{line}\n")).collect();
        }
        let _ = writeln!(self.limits, "{limit} = {given}");
        Ok(())
    }

    fn set_listener(&mut self, line: &Line) -> Result<(), ImportError> {
        let value = line.value.clone();
        match &*line.name {
            "password_file" => self.passwords.push(absolute(&value, &line.place).into()),
            "acl_file" => self.rules.push(absolute(&value, &line.place).into()),
            "allow_anonymous" if self.listeners.is_empty() || !self.per_listener => {
                self.anonymous = Some(is_true(line)?);
            }
            name => {
                if self.listeners.is_empty() {
                    self.default_is_meant |= matches!(name, "port" | "bind_address");
                }
                let default = &mut self.default;
                let listener = match self.listeners.last_mut() {
                    Some(listener) => listener,
                    None => default.get_or_insert_with(|| Listener::new(&line.place, 1883, None)),
                };
                match name {
                    "port" => {
                        listener.port = u16::try_from(number(line)?)
                            .map_err(|_| line.place.error("this is no port"))?;
                    }
                    "bind_address" => listener.host = Some(value),
                    "protocol" => listener.websocket = value == "websockets",
                    "allow_anonymous" | "listener_allow_anonymous" => {
                        listener.anonymous = Some(is_true(line)?);
                    }
                    "websockets_origin" => listener.origins.push(value),
                    "certfile" => listener.certificate = Some(value),
                    "keyfile" => listener.key = Some(value),
                    "cafile" => listener.authority = Some(value),
                    "use_identity_as_username" if is_true(line)? => {
                        listener.client_name = Some("common-name");
                    }
                    "use_subject_as_username" if is_true(line)? => {
                        listener.client_name = Some("subject");
                    }
                    "require_certificate" => listener.wants_certificates = is_true(line)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn finish(mut self, imported: &mut Imported) -> Result<(), ImportError> {
        if let Some(default) = self.default.take().filter(|_| self.default_is_meant) {
            self.listeners.insert(0, default);
        }
        let mut out = String::new();
        if !self.limits.is_empty() {
            out = format!("[broker]\n{}", self.limits);
            let count = self.limits.lines().count();
            imported.taken.push(format!("{count} limits"));
        }
        for listener in std::mem::take(&mut self.listeners) {
            out.push_str(&self.listener(&listener, imported)?);
        }
        for bridge in std::mem::take(&mut self.bridges) {
            let place = bridge.place.clone();
            out.push_str(&bridge.settings()?);
            imported.taken.push(format!("{place}: a bridge"));
        }
        imported.settings = out.trim_start().to_owned();
        for file in self.passwords {
            access::add_passwords(&file, imported)?;
        }
        for file in self.rules {
            access::add_rules(&file, imported)?;
        }
        Ok(())
    }

    fn listener(
        &self,
        listener: &Listener,
        imported: &mut Imported,
    ) -> Result<String, ImportError> {
        let place = &listener.place;
        let mut out = "\n[[broker.listeners]]\n".to_owned();
        let host = listener.host.as_deref();
        let mut is_near = true;
        let at = match (listener.port, host) {
            (0, Some(path)) if path.starts_with('/') => {
                let _ = writeln!(out, "socket = {}", quoted(path));
                path.to_owned()
            }
            (port, host) => {
                let address: IpAddr = match host {
                    None => IpAddr::from([0, 0, 0, 0]),
                    Some("localhost") => IpAddr::from([127, 0, 0, 1]),
                    Some(host) => host.trim_matches(['[', ']']).parse().map_err(|_| {
                        place.error(&format!(
                            "\"{host}\" is a name; a listener needs an address, such as 192.168.1.5"
                        ))
                    })?,
                };
                is_near = address.is_loopback();
                let address = std::net::SocketAddr::new(address, port).to_string();
                let _ = writeln!(out, "address = {}", quoted(&address));
                address
            }
        };
        if !listener.websocket {
            out.push_str("websocket = false\n");
        }
        match listener.anonymous.or(self.anonymous) {
            Some(true) if !is_near => imported.left.push(format!(
                "{place}: allow_anonymous true for {at}: everybody on that network could publish and subscribe. Add users (flowrill mqtt user add), or write anonymous = true there and start with --auth none"
            )),
            Some(anonymous) => {
                let _ = writeln!(out, "anonymous = {anonymous}");
            }
            // Mosquitto 2 lets nobody in without a name where there is a listener.
            None => out.push_str("anonymous = false\n"),
        }
        if !listener.origins.is_empty() {
            let origins: Vec<String> = listener.origins.iter().map(|one| quoted(one)).collect();
            let _ = writeln!(out, "origins = [{}]", origins.join(", "));
        }
        if let (Some(certificate), Some(key)) = (&listener.certificate, &listener.key) {
            let file = |path: &str| absolute(path, place);
            let _ = write!(
                out,
                "\n[broker.listeners.tls]\ncertificate = {}\nkey = {}\n",
                quoted(&file(certificate)),
                quoted(&file(key))
            );
            if let (true, Some(authority)) = (listener.wants_certificates, &listener.authority) {
                let _ = write!(
                    out,
                    "client_authority = {}\nclient_certificate_required = true\n",
                    quoted(&file(authority))
                );
                if let Some(name) = listener.client_name {
                    let _ = writeln!(out, "client_name = \"{name}\"");
                }
            }
        } else if listener.certificate.is_some() || listener.key.is_some() {
            return Err(place
                .error("this listener has a certfile without a keyfile, or the other way round"));
        }
        imported.taken.push(format!("{place}: a listener at {at}"));
        Ok(out)
    }
}

/// Mosquitto takes paths from the folder that it runs in, which nobody knows; that of its configuration is the best guess.
fn absolute(path: &str, place: &Place) -> String {
    let folder = place.file.parent().unwrap_or(Path::new(""));
    match Path::new(path).is_absolute() {
        true => path.to_owned(),
        false => std::path::absolute(folder.join(path))
            .map_or_else(|_| path.to_owned(), |path| path.display().to_string()),
    }
}
