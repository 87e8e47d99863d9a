//! TLS for the connections that Flowrill opens: whom it trusts, and how it shows who it is.

mod identity;
mod trust;
pub(crate) mod version_1;

use std::{error::Error, fmt, io, sync::Arc};

use tokio_rustls::rustls::{
    AlertDescription, CertificateError, ClientConfig, Error as RustlsError, crypto::ring,
    sign::SingleCertAndKey,
};

/// What a person has set up. Texts of certificates and keys are in PEM.
#[derive(Clone, Default)]
pub struct TlsSettings {
    /// Certificates of the authorities that count, or the server's own; nothing: the authorities of this machine.
    pub authorities: Option<Vec<u8>>,
    /// This client's certificate, with those between it and its authority, and its key.
    pub certificate: Option<Vec<u8>>,
    pub key: Option<Vec<u8>>,
    /// All three in one file of PKCS#12, instead of them.
    pub pkcs12: Option<Vec<u8>>,
    /// Of the key or the PKCS#12 file.
    pub passphrase: String,
    /// The name that the server's certificate must have, if not the one that is connected to.
    pub server_name: Option<String>,
    /// The protocol to ask for (ALPN).
    pub alpn: Option<String>,
    /// Any certificate will do.
    pub trusts_anybody: bool,
}

/// Why a connection can't be made so: a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(String);

/// How to open a TLS connection. Clones are cheap.
#[derive(Clone)]
pub struct ClientTls(Arc<ClientConfig>);

impl fmt::Debug for ClientTls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ClientTls")
    }
}

impl ClientTls {
    /// Reads the settings. Takes some milliseconds if the machine's authorities count.
    ///
    /// # Errors
    /// Something can't be read, or does not fit together.
    pub fn new(settings: &TlsSettings) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let identity = identity::read(settings)?;
        let trust = trust::verifier(settings, &identity.authorities, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError(format!("TLS can't be set up: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(trust);
        let mut config = match identity.own {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let certified = version_1::certified(chain, key, &provider).map_err(|error| {
                    TlsError(format!(
                        "The certificate and the private key do not fit together: {error}"
                    ))
                })?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
        };
        if let Some(protocol) = &settings.alpn {
            config.alpn_protocols.push(protocol.as_bytes().to_vec());
        }
        Ok(Self(Arc::new(config)))
    }

    /// For the library that opens the connection.
    pub fn config(&self) -> Arc<ClientConfig> {
        self.0.clone()
    }
}

/// What is wrong with a connection, if that is about TLS: a sentence that says what to do.
pub fn sentence(error: &(dyn Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<RustlsError>() {
            return Some(rustls_sentence(error));
        }
        // What the system's error is about is no source of it.
        cause = match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as _),
            None => error.source(),
        };
    }
    None
}

fn rustls_sentence(error: &RustlsError) -> String {
    use CertificateError as Wrong;
    match error {
        // The latter: the authority was made anew under its old name.
        RustlsError::InvalidCertificate(Wrong::UnknownIssuer | Wrong::BadSignature) => {
            "The server's certificate is of an authority that is not trusted here: name the authority's certificate in the TLS settings".into()
        }
        RustlsError::InvalidCertificate(
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. },
        ) => {
            "The server's certificate is for another name: connect to that name, or give it as the server name in the TLS settings".into()
        }
        RustlsError::InvalidCertificate(Wrong::Expired | Wrong::ExpiredContext { .. }) => {
            "The server's certificate has expired".into()
        }
        RustlsError::InvalidCertificate(Wrong::NotValidYet | Wrong::NotValidYetContext { .. }) => {
            "The server's certificate is not valid yet; is this machine's clock right?".into()
        }
        // rustls has no name for this: CaUsedAsEndEntity.
        RustlsError::InvalidCertificate(Wrong::Other(inner))
            if format!("{inner:?}").contains("CaUsedAsEndEntity") =>
        {
            "The server's certificate is its own authority, which is not trusted here: name that certificate as the authority in the TLS settings".into()
        }
        RustlsError::AlertReceived(AlertDescription::CertificateRequired) => {
            "The server wants to see a certificate: name this client's own in the TLS settings"
                .into()
        }
        RustlsError::InvalidMessage(_) => "The server does not speak TLS at this port".into(),
        other => format!("The encrypted connection failed: {other}"),
    }
}
