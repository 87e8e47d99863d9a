//! TLS: the files it needs, read and checked.

use std::{path::Path, sync::Arc};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig, crypto::ring, server::WebPkiClientVerifier,
        sign::SingleCertAndKey,
    },
};

use super::{ListenError, TlsConfig};
use crate::tls::version_1::{self, Clients};

/// Reads the files of a listener.
///
/// # Errors
/// A sentence that names the file, and what is wrong with it.
pub(super) fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor, ListenError> {
    let provider = Arc::new(ring::default_provider());
    let chain = certificates(&config.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&config.key)
        .map_err(|error| unusable(&config.key, "a private key", &error))?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| ListenError::Tls(error.to_string()))?;
    let builder = match &config.client_authority {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            let authorities = certificates(file)?;
            for certificate in authorities.iter().cloned() {
                roots
                    .add(certificate)
                    .map_err(|error| unusable(file, "an authority's certificate", &error))?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
            let verifier = match config.client_certificate_required {
                true => verifier,
                false => verifier.allow_unauthenticated(),
            };
            let verifier = verifier
                .build()
                .map_err(|error| unusable(file, "an authority's certificate", &error))?;
            builder.with_client_cert_verifier(Arc::new(Clients {
                usual: verifier,
                authorities,
                provider: provider.clone(),
            }))
        }
    };
    let certified = version_1::certified(chain, key, &provider).map_err(|error| {
        ListenError::Tls(format!(
            "{} and {} do not fit together: {error}",
            config.certificate.display(),
            config.key.display()
        ))
    })?;
    let server = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    Ok(TlsAcceptor::from(Arc::new(server)))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, ListenError> {
    let read = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(file, "certificates", &error))?;
    match read.is_empty() {
        true => Err(ListenError::Tls(format!(
            "{} has no certificate in it; it must be a file in PEM, with -----BEGIN CERTIFICATE-----",
            file.display()
        ))),
        false => Ok(read),
    }
}

fn unusable(file: &Path, what: &str, error: &dyn std::fmt::Display) -> ListenError {
    ListenError::Tls(format!(
        "{} can't be read as {what} in PEM: {error}",
        file.display()
    ))
}
