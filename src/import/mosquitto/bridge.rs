//! Mosquitto's `connection` sections.

use std::fmt::Write;

use super::{
    ImportError,
    convert::quoted,
    lines::{Line, Place},
};

/// A bridge as its lines make it.
pub(super) struct Bridge {
    pub(super) place: Place,
    name: String,
    address: Option<String>,
    /// Lines of its table, of its `tls`, and of its topics.
    settings: String,
    tls: Vec<String>,
    topics: String,
}

impl Bridge {
    pub(super) fn new(line: &Line) -> Result<Self, ImportError> {
        if line.value.is_empty() {
            return Err(line.place.error("a connection needs a name"));
        }
        Ok(Self {
            place: line.place.clone(),
            name: line.value.replace(['/', '+', '#'], "-"),
            address: None,
            settings: String::new(),
            tls: Vec::new(),
            topics: String::new(),
        })
    }

    /// Takes a line that belongs to it.
    pub(super) fn take(&mut self, line: &Line) -> Result<(), ImportError> {
        let value = &line.value;
        let mut set = |key: &str, value: String| {
            let _ = writeln!(self.settings, "{key} = {value}");
        };
        match &*line.name {
            "address" | "addresses" => {
                let first = value.split_whitespace().next().unwrap_or_default();
                self.address = Some(first.to_owned());
            }
            "remote_username" | "username" => set("user", quoted(value)),
            "remote_password" | "password" => set("password", quoted(value)),
            "remote_clientid" | "clientid" => set("client_id", quoted(value)),
            "keepalive_interval" => set("keep_alive", number(line)?.to_string()),
            "cleansession" => set("clean", is_true(line)?.to_string()),
            "notification_topic" => set("notification_topic", quoted(value)),
            "bridge_protocol_version" => match &**value {
                "mqttv50" => set("protocol", quoted("5")),
                "mqttv311" | "mqttv31" => {}
                _ => {
                    return Err(line
                        .place
                        .error("mqttv31, mqttv311 and mqttv50 are the versions"));
                }
            },
            "bridge_cafile" => self.tls.push(format!("authority = {}", quoted(value))),
            "bridge_certfile" => self.tls.push(format!("certificate = {}", quoted(value))),
            "bridge_keyfile" => self.tls.push(format!("key = {}", quoted(value))),
            "bridge_insecure" => self.tls.push(format!("insecure = {}", is_true(line)?)),
            "topic" => self.topic(line)?,
            _ => {}
        }
        Ok(())
    }

    /// `topic pattern [[[out | in | both] qos] local-prefix remote-prefix]`
    fn topic(&mut self, line: &Line) -> Result<(), ImportError> {
        let mut parts = line.value.split_whitespace();
        let unquoted = |part: &str| match part {
            "\"\"" => String::new(),
            part => part.to_owned(),
        };
        let pattern = unquoted(parts.next().unwrap_or_default());
        let direction = parts.next().unwrap_or("out");
        if !["out", "in", "both"].contains(&direction) {
            return Err(line.place.error("a topic goes out, in or both"));
        }
        let qos = parts.next().unwrap_or("0");
        if !["0", "1", "2"].contains(&qos) {
            return Err(line.place.error("the quality of service is 0, 1 or 2"));
        }
        let mut prefix = || unquoted(parts.next().unwrap_or_default());
        let (local, remote) = (prefix(), prefix());
        let _ = writeln!(
            self.topics,
            "[[broker.bridges.topics]]\ntopic = {}\ndirection = {}\nqos = {qos}\nlocal = {}\nremote = {}",
            quoted(&pattern),
            quoted(direction),
            quoted(&local),
            quoted(&remote)
        );
        Ok(())
    }

    /// Its piece of `flowrill.toml`.
    pub(super) fn settings(self) -> Result<String, ImportError> {
        let Some(address) = self.address else {
            return Err(self.place.error("the connection has no address"));
        };
        if self.topics.is_empty() {
            return Err(self
                .place
                .error("the connection has no topic, so nothing would cross"));
        }
        let mut out = format!(
            "\n[[broker.bridges]]\nname = {}\naddress = {}\n",
            quoted(&self.name),
            quoted(&address)
        );
        if !self.settings.contains("protocol = ") {
            out.push_str("protocol = \"3.1.1\"\n");
        }
        out.push_str(&self.settings);
        if !self.tls.is_empty() {
            let _ = writeln!(out, "tls = {{ {} }}", self.tls.join(", "));
        }
        out.push_str(&self.topics);
        Ok(out)
    }
}

pub(super) fn number(line: &Line) -> Result<u64, ImportError> {
    line.value.parse().map_err(|_| {
        line.place
            .error(&format!("\"{}\" is no number", line.value))
    })
}

pub(super) fn is_true(line: &Line) -> Result<bool, ImportError> {
    match &*line.value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(line
            .place
            .error(&format!("\"{}\" is neither true nor false", line.value))),
    }
}
