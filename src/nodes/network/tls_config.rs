//! `tls-config`: how to open encrypted connections (Node-RED's config node of that name).

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    engine::{Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError},
    message::{Message, Object, Value},
    tls::{ClientTls, TlsSettings},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct TlsNodeConfig {
    cert_type: String,
    cert: String,
    key: String,
    ca: String,
    p12: String,
    cert_env: String,
    key_env: String,
    ca_env: String,
    servername: String,
    alpnprotocol: String,
    verifyservercert: bool,
    // Names of files that were uploaded in the editor.
    #[serde(rename = "certname")]
    _certname: IgnoredAny,
    #[serde(rename = "keyname")]
    _keyname: IgnoredAny,
    #[serde(rename = "caname")]
    _caname: IgnoredAny,
    #[serde(rename = "p12name")]
    _p12name: IgnoredAny,
}

/// What the node shares with those that name it: the settings, or why there are none.
pub(in crate::nodes) type SharedTls = Result<ClientTls, String>;

/// A running `tls-config` node.
pub(in crate::nodes) struct TlsConfigNode {
    tls: Arc<SharedTls>,
    /// For `props`.
    shown: Object,
}

impl TlsConfigNode {
    /// Reads files and credentials. What is wrong with them is an error of this node at the start, and of those that name it.
    #[expect(clippy::needless_pass_by_value, reason = "as all constructors are")]
    pub(in crate::nodes) fn new(
        config: TlsNodeConfig,
        build: &Build,
    ) -> Result<(Self, Arc<SharedTls>), ConfigError> {
        let shown: Object = [
            ("certType", config.cert_type.as_str().into()),
            ("servername", config.servername.trim().into()),
            ("alpnprotocol", config.alpnprotocol.trim().into()),
            ("verifyservercert", config.verifyservercert.into()),
        ]
        .into_iter()
        .collect();
        let settings = settings(&config, build);
        let tls = settings
            .and_then(|settings| ClientTls::new(&settings).map_err(|error| error.to_string()));
        let tls = Arc::new(tls);
        let node = Self {
            tls: tls.clone(),
            shown,
        };
        Ok((node, tls))
    }
}

fn settings(config: &TlsNodeConfig, build: &Build) -> Result<TlsSettings, String> {
    let set = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let credential = |name: &str| {
        let text = build.credentials.get(name).cloned();
        text.filter(|text| !text.is_empty())
    };
    let file = |path: &str| set(path).map(|path| read(&path)).transpose();
    let variable = |name: &str| {
        let value = set(name).map(|name| build.env(&name).to_text());
        value
            .filter(|text| !text.is_empty())
            .map(String::into_bytes)
    };
    let mut settings = TlsSettings {
        passphrase: credential("passphrase").unwrap_or_default(),
        server_name: set(&config.servername),
        alpn: set(&config.alpnprotocol),
        trusts_anybody: !config.verifyservercert,
        ..TlsSettings::default()
    };
    let has_files = [&config.cert, &config.key, &config.ca]
        .into_iter()
        .any(|path| set(path).is_some());
    match config.cert_type.as_str() {
        "env" => {
            settings.certificate = variable(&config.cert_env);
            settings.key = variable(&config.key_env);
            settings.authorities = variable(&config.ca_env);
        }
        "pfx" => {
            settings.pkcs12 = match file(&config.p12)? {
                Some(bytes) => Some(bytes),
                None => credential("p12data")
                    .map(|text| {
                        let encoded: String = text.split_whitespace().collect();
                        BASE64_STANDARD.decode(encoded)
                    })
                    .transpose()
                    .map_err(|_| build.text("tls.error.invalid-p12", &[]))?,
            };
        }
        _ if has_files => {
            settings.certificate = file(&config.cert)?;
            settings.key = file(&config.key)?;
            settings.authorities = file(&config.ca)?;
        }
        _ => {
            let bytes = |name| credential(name).map(String::into_bytes);
            settings.certificate = bytes("certdata");
            settings.key = bytes("keydata");
            settings.authorities = bytes("cadata");
        }
    }
    match settings.certificate.is_some() == settings.key.is_some() {
        true => Ok(settings),
        false => Err(build.text("tls.error.missing-file", &[])),
    }
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("The file {path} can't be read: {error}"))
}

impl Node for TlsConfigNode {
    fn on_start(&mut self, _ctx: &NodeContext) -> Result<(), NodeError> {
        match &*self.tls {
            Ok(_) => Ok(()),
            Err(error) => Err(error.as_str().into()),
        }
    }

    fn on_input(&mut self, _msg: Message, _ctx: &NodeContext) -> Result<(), Failed> {
        Ok(())
    }

    fn on_close(&mut self, _removed: bool, _ctx: &NodeContext) -> Closing {
        Closing::Done
    }

    fn props(&self) -> Object {
        let mut props = self.shown.clone();
        props.insert("valid", Value::from(self.tls.is_ok()));
        props
    }
}
