//! Certificates of X.509 version 1: what `openssl x509 -req` makes unless it is told otherwise, so many brokers and devices at
//! home have one. rustls does not take them.
//!
//! They are trusted if an authority that a person has named has signed them itself: a certificate of version 1 can't be
//! between.

use std::{fmt, sync::Arc};

use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, InconsistentKeys,
    SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::CryptoProvider,
    server::danger::{ClientCertVerified, ClientCertVerifier},
    sign::CertifiedKey,
};
use x509_parser::{certificate::X509Certificate, prelude::FromDer, time::ASN1Time};

/// Whether this is what rustls says of them.
pub(super) fn is_meant(error: &Error) -> bool {
    // rustls has no name for it.
    matches!(error, Error::InvalidCertificate(CertificateError::Other(inner))
        if format!("{inner:?}").contains("UnsupportedCertVersion"))
}

/// A certificate and its key, which fit together as far as that can be told.
///
/// # Errors
/// They don't, or the key is of a kind that can't sign.
pub(crate) fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Error> {
    let certified = CertifiedKey::new(chain, provider.key_provider.load_private_key(key)?);
    match certified.keys_match() {
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(error) if is_meant(&error) => {
            let own = certified.key.public_key();
            let same = certified.cert.first().is_some_and(|certificate| {
                X509Certificate::from_der(certificate)
                    .is_ok_and(|(_, parsed)| own.is_none_or(|own| *own == *parsed.public_key().raw))
            });
            match same {
                true => Ok(certified),
                false => Err(InconsistentKeys::KeyMismatch.into()),
            }
        }
        Err(error) => Err(error),
    }
}

/// Checks that one of these authorities has signed a certificate, and that it is valid now.
///
/// # Errors
/// As rustls has them.
pub(super) fn issued(
    certificate: &CertificateDer<'_>,
    authorities: &[CertificateDer<'_>],
    now: UnixTime,
) -> Result<(), Error> {
    let wrong = |error: CertificateError| Err(Error::InvalidCertificate(error));
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return wrong(CertificateError::BadEncoding);
    };
    in_time(&parsed, now)?;
    for authority in authorities {
        let Ok((_, authority)) = X509Certificate::from_der(authority) else {
            continue;
        };
        // Its very own certificate may be named instead.
        let is_own = authority == parsed;
        let is_named = authority.subject() == parsed.issuer();
        let may_sign = is_own || authority.is_ca() || authority.version().0 == 0;
        if is_named
            && may_sign
            && parsed
                .verify_signature(Some(authority.public_key()))
                .is_ok()
        {
            return in_time(&authority, now);
        }
    }
    wrong(CertificateError::UnknownIssuer)
}

/// Checks the dates of a certificate.
///
/// # Errors
/// It is not valid now.
pub(super) fn in_time(certificate: &X509Certificate<'_>, now: UnixTime) -> Result<(), Error> {
    let now = i64::try_from(now.as_secs()).ok();
    let now = now.and_then(|now| ASN1Time::from_timestamp(now).ok());
    match now {
        Some(now) if certificate.validity().is_valid_at(now) => Ok(()),
        _ => Err(Error::InvalidCertificate(CertificateError::Expired)),
    }
}

/// Checks that the other side has the certificate's key. Only for schemes that rustls has found right before.
///
/// # Errors
/// It has another one.
pub(super) fn signed(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    provider: &CryptoProvider,
) -> Result<HandshakeSignatureValid, Error> {
    let bad = Error::InvalidCertificate(CertificateError::BadSignature);
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return Err(bad);
    };
    let key = &*parsed.public_key().subject_public_key.data;
    let known = provider.signature_verification_algorithms.mapping.iter();
    let mut algorithms = known
        .filter(|(scheme, _)| *scheme == signed.scheme)
        .flat_map(|(_, algorithms)| *algorithms);
    let fits = algorithms.any(|algorithm| {
        algorithm
            .verify_signature(key, message, signed.signature())
            .is_ok()
    });
    match fits {
        true => Ok(HandshakeSignatureValid::assertion()),
        false => Err(bad),
    }
}

/// Lets in clients that rustls lets in, and those with a certificate of version 1.
pub(crate) struct Clients {
    pub(crate) usual: Arc<dyn ClientCertVerifier>,
    pub(crate) authorities: Vec<CertificateDer<'static>>,
    pub(crate) provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Clients {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Clients")
    }
}

impl ClientCertVerifier for Clients {
    fn offer_client_auth(&self) -> bool {
        self.usual.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.usual.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.usual.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.usual.verify_client_cert(certificate, between, now) {
            Err(error) if is_meant(&error) => issued(certificate, &self.authorities, now)
                .map(|()| ClientCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        given: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self
            .usual
            .verify_tls12_signature(message, certificate, given)
        {
            Err(error) if is_meant(&error) => signed(message, certificate, given, &self.provider),
            verified => verified,
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        given: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self
            .usual
            .verify_tls13_signature(message, certificate, given)
        {
            Err(error) if is_meant(&error) => signed(message, certificate, given, &self.provider),
            verified => verified,
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
