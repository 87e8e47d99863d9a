//! Which servers are trusted: what the usual rules allow, and what they are too strict for in a workshop.

use std::{net::IpAddr, sync::Arc};

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    server::ParsedCertificate,
};
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use super::{
    TlsError, TlsSettings,
    identity::certificates,
    version_1::{self, in_time},
};

/// Makes the verifier that the settings ask for.
///
/// # Errors
/// The authorities can't be read, or there are none.
pub(super) fn verifier(
    settings: &TlsSettings,
    besides: &[CertificateDer<'static>],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    if settings.trusts_anybody {
        return Ok(Arc::new(Anybody(provider.clone())));
    }
    let mut roots = RootCertStore::empty();
    let mut given = match &settings.authorities {
        Some(pem) => certificates(pem, "The authority's certificate")?,
        None => Vec::new(),
    };
    if settings.authorities.is_none() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    given.extend_from_slice(besides);
    roots.add_parsable_certificates(given.iter().cloned());
    if roots.is_empty() {
        return Err(TlsError(
            "There is no authority to trust: install the package ca-certificates on this machine, or give the certificate of the server's authority"
                .into(),
        ));
    }
    let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let usual = usual.build().map_err(|error| {
        TlsError(format!(
            "The authority's certificate can't be used: {error}"
        ))
    })?;
    let name = match &settings.server_name {
        None => None,
        Some(name) => Some(
            ServerName::try_from(name.clone())
                .map_err(|_| TlsError(format!("\"{name}\" is no name that a server can have")))?,
        ),
    };
    Ok(Arc::new(Known {
        usual,
        given,
        name,
        provider: provider.clone(),
    }))
}

/// Trusts whoever comes.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _between: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Trusts servers whose certificate an authority has signed.
///
/// Three things that OpenSSL allows, and rustls does not, are common among brokers at home: a certificate that is its own
/// authority (what `openssl req -x509` makes), one that has its name in the subject only, and one of version 1.
#[derive(Debug)]
struct Known {
    usual: Arc<WebPkiServerVerifier>,
    /// The certificates that a person has named.
    given: Vec<CertificateDer<'static>>,
    /// The name to look for, if not the one that is connected to.
    name: Option<ServerName<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let name = self.name.as_ref().unwrap_or(name);
        let mut verified = self
            .usual
            .verify_server_cert(certificate, between, name, ocsp, now)
            .map(drop);
        if is_about(&verified, |error| {
            *error == CertificateError::UnknownIssuer || matches!(error, CertificateError::Other(_))
        }) && self.given.iter().any(|given| given == certificate)
        {
            let parsed = ParsedCertificate::try_from(certificate)?;
            let in_time = match X509Certificate::from_der(certificate) {
                Ok((_, certificate)) => in_time(&certificate, now),
                Err(_) => Err(CertificateError::BadEncoding.into()),
            };
            verified = in_time.and_then(|()| verify_server_name(&parsed, name));
        }
        if verified.as_ref().is_err_and(version_1::is_meant) {
            let issued = version_1::issued(certificate, &self.given, now);
            verified = issued.and_then(|()| match has_common_name(certificate, name) {
                true => Ok(()),
                false => Err(CertificateError::NotValidForName.into()),
            });
        }
        // The name is looked at last, so everything else is right.
        if is_about(&verified, |error| {
            matches!(
                error,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            )
        }) && has_common_name(certificate, name)
        {
            verified = Ok(());
        }
        verified.map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self
            .usual
            .verify_tls12_signature(message, certificate, signed)
        {
            Err(error) if version_1::is_meant(&error) => {
                version_1::signed(message, certificate, signed, &self.provider)
            }
            verified => verified,
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self
            .usual
            .verify_tls13_signature(message, certificate, signed)
        {
            Err(error) if version_1::is_meant(&error) => {
                version_1::signed(message, certificate, signed, &self.provider)
            }
            verified => verified,
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

fn is_about(verified: &Result<(), Error>, what: impl Fn(&CertificateError) -> bool) -> bool {
    matches!(verified, Err(Error::InvalidCertificate(error)) if what(error))
}

/// Whether a certificate without alternative names has this one in its subject (RFC 2818, section 3.1).
fn has_common_name(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    if !matches!(certificate.subject_alternative_name(), Ok(None)) {
        return false;
    }
    let names = certificate.subject().iter_common_name();
    names
        .filter_map(|name| name.as_str().ok())
        .any(|known| match name {
            ServerName::DnsName(name) => is_name(known, name.as_ref()),
            ServerName::IpAddress(address) => known
                .parse::<IpAddr>()
                .is_ok_and(|known| known == IpAddr::from(*address)),
            _ => false,
        })
}

/// Whether a name is this one, which may begin with `*.` for any one label.
fn is_name(known: &str, name: &str) -> bool {
    match known.strip_prefix("*.") {
        Some(rest) => name
            .split_once('.')
            .is_some_and(|(_, behind)| behind.eq_ignore_ascii_case(rest)),
        None => known.eq_ignore_ascii_case(name),
    }
}
