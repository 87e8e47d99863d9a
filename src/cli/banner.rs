//! What a person reads at the start.

use std::{
    fmt,
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
};

use crate::{broker::BrokerConfig, settings::Settings};

/// Prints for a person. Everything else goes to the log. Whoever has stopped reading (`flowrill check | head`) misses nothing.
pub fn say(text: impl fmt::Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Prints why nothing was done.
pub fn complain(text: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "flowrill: {text}");
}

/// The lines printed when everything runs.
#[derive(Debug)]
pub struct Banner {
    pub http: SocketAddr,
    /// None without the built-in broker.
    pub mqtt: Option<SocketAddr>,
    /// None when nothing is stored.
    pub data: Option<PathBuf>,
    /// Sentences that must not be overlooked.
    pub warnings: Vec<String>,
}

impl Banner {
    /// For these settings, and the addresses that were really taken.
    pub fn new(settings: &Settings, http: SocketAddr, mqtt: Option<SocketAddr>) -> Self {
        let mut warnings = Vec::new();
        if settings.tap {
            warnings.push(
                "--tap: everyone on this machine may do everything, and nothing is stored".into(),
            );
        }
        let open = settings.open_to_all
            && (settings.broker.iter())
                .flat_map(BrokerConfig::addresses)
                .chain([settings.http])
                .any(|address| !address.ip().is_loopback());
        if open {
            warnings.push(
                "--auth none: there is no login, so everyone on the network may change flows and run code on this machine"
                    .into(),
            );
        }
        let unreachable = settings.broker.as_ref().filter(|broker| {
            !broker.open_to_all && broker.access.users.is_empty() && !broker.access.closed
        });
        let mut addresses = unreachable.iter().flat_map(|broker| broker.addresses());
        if let Some(address) = addresses.find(|address| !address.ip().is_loopback()) {
            warnings.push(format!(
                "The broker has no users, so nobody on the network can use {address} yet: add one with flowrill mqtt user add NAME"
            ));
        }
        let data = std::path::absolute(&settings.data);
        Self {
            http,
            mqtt,
            data: (!settings.tap).then(|| data.unwrap_or_else(|_| settings.data.clone())),
            warnings,
        }
    }
}

impl fmt::Display for Banner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "Flowrill {} is running", env!("CARGO_PKG_VERSION"))?;
        writeln!(out, "  Editor  http://{}", reachable(self.http))?;
        match self.mqtt {
            Some(mqtt) => writeln!(out, "  MQTT    mqtt://{}", reachable(mqtt))?,
            None => writeln!(out, "  MQTT    the built-in broker is off")?,
        }
        match &self.data {
            Some(data) => writeln!(out, "  Data    {}", data.display())?,
            None => writeln!(out, "  Data    in memory only, gone at the end")?,
        }
        for warning in &self.warnings {
            writeln!(out, "  WARNING {warning}")?;
        }
        write!(out, "  Stop    Ctrl+C")
    }
}

/// An address to connect to: "everywhere" is reached at this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let local = match address {
            SocketAddr::V4(_) => [127, 0, 0, 1].into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(local);
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_a_person_needs_within_ten_lines() {
        let banner = Banner {
            http: "0.0.0.0:1880".parse().unwrap(),
            mqtt: Some("127.0.0.1:1883".parse().unwrap()),
            data: Some("/data".into()),
            warnings: vec!["one".into(), "two".into()],
        };
        let text = banner.to_string();
        assert!(text.lines().count() <= 10);
        for part in [
            "http://127.0.0.1:1880\n",
            "mqtt://127.0.0.1:1883\n",
            "/data\n",
            "Ctrl+C",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
