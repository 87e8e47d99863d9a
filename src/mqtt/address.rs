//! Where an MQTT broker is, as people write it: a host, or an address such as `mqtts://host:8883` or `wss://host/mqtt`.

use url::{Host, Url};

use super::{Login, Transport};
use crate::tls::{ClientTls, TlsSettings};

/// How the bytes travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Plain,
    Tls,
    /// To this address.
    WebSocket(String),
    WebSocketTls(String),
}

/// A broker's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Without brackets.
    pub host: String,
    pub port: u16,
    pub way: Way,
    /// Name and password that stand in the address.
    pub login: Option<Login>,
}

/// What is wrong with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// There is no port, or it is none.
    Port,
    /// What stands before `://` names no way to a broker.
    Scheme(String),
}

impl Address {
    /// Reads a server's name or address. `port` counts where the address has none; `tls` where it has no scheme.
    ///
    /// # Errors
    /// What is wrong.
    pub fn read(server: &str, port: Option<u16>, tls: bool) -> Result<Self, AddressError> {
        let Some((scheme, rest)) = server.split_once("://") else {
            return Ok(Self {
                host: server.trim_matches(['[', ']']).to_owned(),
                port: port.ok_or(AddressError::Port)?,
                way: if tls { Way::Tls } else { Way::Plain },
                login: None,
            });
        };
        let scheme = scheme.to_ascii_lowercase();
        // The library knows the parts of http addresses best.
        let (like, way) = match &*scheme {
            "mqtt" | "tcp" => ("ftp", Way::Plain),
            "mqtts" | "ssl" | "tls" => ("ftp", Way::Tls),
            "ws" => ("http", Way::WebSocket(String::new())),
            "wss" => ("https", Way::WebSocketTls(String::new())),
            _ => return Err(AddressError::Scheme(scheme)),
        };
        let mut url = Url::parse(&format!("{like}://{rest}")).map_err(|_| AddressError::Port)?;
        let login = (!url.username().is_empty()).then(|| Login {
            user: decoded(url.username()),
            password: decoded(url.password().unwrap_or_default()),
        });
        let host = match url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(AddressError::Port),
        };
        let explicit = explicit_port(rest).or(url.port());
        let (default, way) = match way {
            Way::Plain => (port.unwrap_or(1883), Way::Plain),
            Way::Tls => (port.unwrap_or(8883), Way::Tls),
            Way::WebSocket(_) | Way::WebSocketTls(_) => {
                // rumqttc sends what stands before the @ as a part of the host.
                let _ = url.set_username("");
                let _ = url.set_password(None);
                let plain = url.to_string().replacen("http", "ws", 1);
                match like {
                    "http" => (80, Way::WebSocket(plain)),
                    _ => (443, Way::WebSocketTls(plain)),
                }
            }
        };
        Ok(Self {
            host,
            port: explicit.unwrap_or(default),
            way,
            login,
        })
    }

    /// How to get there, with the TLS settings that there may be; without them the authorities of this machine count.
    ///
    /// # Errors
    /// The settings can't be used: a sentence.
    pub fn transport(&self, tls: Option<&Result<ClientTls, String>>) -> Result<Transport, String> {
        let tls = || match tls {
            Some(settings) => settings.clone(),
            None => ClientTls::new(&TlsSettings::default()).map_err(|error| error.to_string()),
        };
        Ok(match &self.way {
            Way::Plain => Transport::Plain,
            Way::Tls => Transport::Tls(tls()?),
            Way::WebSocket(url) => Transport::WebSocket(url.clone(), None),
            Way::WebSocketTls(url) => Transport::WebSocket(url.clone(), Some(tls()?)),
        })
    }
}

/// The port that stands there, even if it is the usual one, which the library leaves out.
fn explicit_port(rest: &str) -> Option<u16> {
    let authority = rest.split(['/', '?', '#']).next()?;
    let (_, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (_, port) = place.rsplit_once(':')?;
    port.parse().ok()
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(server: &str, port: Option<u16>, tls: bool) -> String {
        match Address::read(server, port, tls) {
            Ok(Address {
                host,
                port,
                way,
                login,
            }) => {
                let login = login.map_or_else(String::new, |login| {
                    format!(" {}/{}", login.user, login.password)
                });
                format!("{host} {port} {way:?}{login}")
            }
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn hosts_and_addresses() {
        let cases = [
            ("pi.local", Some(1883), false, "pi.local 1883 Plain"),
            ("pi.local", Some(8883), true, "pi.local 8883 Tls"),
            ("pi.local", None, false, "Port"),
            ("::1", Some(1), false, "::1 1 Plain"),
            ("[::1]", Some(1), false, "::1 1 Plain"),
            ("mqtt://pi.local", Some(5), false, "pi.local 5 Plain"),
            ("mqtt://pi.local", None, false, "pi.local 1883 Plain"),
            ("mqtt://pi.local:21", Some(5), true, "pi.local 21 Plain"),
            ("TCP://pi.local:5/x", None, false, "pi.local 5 Plain"),
            ("mqtts://pi.local", None, false, "pi.local 8883 Tls"),
            ("ssl://[::1]:7", None, false, "::1 7 Tls"),
            (
                "mqtt://ann:p%40ss@pi.local",
                None,
                false,
                "pi.local 1883 Plain ann/p@ss",
            ),
            (
                "ws://pi.local:1880/mqtt?x=1",
                None,
                true,
                "pi.local 1880 WebSocket(\"ws://pi.local:1880/mqtt?x=1\")",
            ),
            (
                "wss://ann:x@pi.local",
                Some(1883),
                false,
                "pi.local 443 WebSocketTls(\"wss://pi.local/\") ann/x",
            ),
            ("http://pi.local", None, false, "Scheme(\"http\")"),
            ("mqtt://", None, false, "Port"),
            ("mqtt://pi.local:99999", None, false, "Port"),
        ];
        for (server, port, tls, expected) in cases {
            assert_eq!(read(server, port, tls), expected, "{server}");
        }
    }
}
