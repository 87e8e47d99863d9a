//! Each `[[broker.bridges]]`: topics that are shared with another broker.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::mqtt::{BridgeConfig, BridgeTls, BridgeTopic, Direction, Login, Protocol, Qos};

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bridge {
    name: String,
    address: String,
    #[serde(default)]
    protocol: Version,
    client_id: Option<String>,
    user: Option<String>,
    password: Option<String>,
    password_file: Option<PathBuf>,
    /// Seconds.
    keep_alive: Option<u16>,
    #[serde(default)]
    clean: bool,
    tls: Option<Tls>,
    notification_topic: Option<String>,
    #[serde(default)]
    topics: Vec<Topic>,
}

#[derive(Default, Deserialize)]
enum Version {
    #[serde(rename = "3.1.1")]
    V311,
    #[default]
    #[serde(rename = "5")]
    V5,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    authority: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    server_name: Option<String>,
    #[serde(default)]
    insecure: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    topic: String,
    #[serde(default)]
    direction: Direction,
    #[serde(default)]
    qos: u8,
    #[serde(default)]
    local: String,
    #[serde(default)]
    remote: String,
}

impl Bridge {
    /// Checks what was read. Paths are completed by `place`.
    ///
    /// # Errors
    /// A sentence's end.
    pub(super) fn complete(
        self,
        place: &dyn Fn(PathBuf) -> PathBuf,
    ) -> Result<BridgeConfig, String> {
        let name = self.name;
        if name.is_empty() || name.contains(['/', '+', '#', '\0']) {
            return Err(format!(
                "\"{name}\" is no name for a bridge: it needs one without /, + and #"
            ));
        }
        let password = match (self.password, self.password_file) {
            (Some(_), Some(_)) => {
                return Err(format!(
                    "the bridge \"{name}\" has both a password and a password_file; keep one"
                ));
            }
            (None, Some(file)) => Some(first_line(&place(file))?),
            (password, None) => password,
        };
        let login = match (self.user, password) {
            (None, None) => None,
            (None, Some(_)) => {
                return Err(format!("the bridge \"{name}\" has a password, but no user"));
            }
            (Some(user), password) => Some(Login {
                user,
                password: password.unwrap_or_default(),
            }),
        };
        let topics = self.topics.into_iter().map(Topic::complete);
        let config = BridgeConfig {
            address: self.address,
            protocol: match self.protocol {
                Version::V311 => Protocol::V4,
                Version::V5 => Protocol::V5,
            },
            client_id: self.client_id,
            login,
            keep_alive: self.keep_alive.unwrap_or(60),
            clean: self.clean,
            tls: self.tls.map_or_else(BridgeTls::default, |tls| BridgeTls {
                authority: tls.authority.map(place),
                certificate: tls.certificate.map(place),
                key: tls.key.map(place),
                server_name: tls.server_name,
                insecure: tls.insecure,
            }),
            topics: topics.collect::<Result<_, _>>()?,
            notification_topic: self.notification_topic,
            name,
        };
        config
            .check()
            .map_err(|reason| format!("the bridge \"{}\": {reason}", config.name))?;
        Ok(config)
    }
}

impl Topic {
    fn complete(self) -> Result<BridgeTopic, String> {
        let qos = Qos::from_bits(self.qos).ok_or("qos is 0, 1 or 2")?;
        Ok(BridgeTopic {
            filter: self.topic,
            direction: self.direction,
            qos,
            local: self.local,
            remote: self.remote,
        })
    }
}

/// A password in a file of its own, which others may not read.
fn first_line(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("the file {} can't be read: {error}", file.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
