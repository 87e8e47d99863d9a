//! Certificates and keys as people have them: PEM with or without a passphrase, PKCS#12.

use p12_keystore::Pkcs12Archive;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};

use super::{TlsError, TlsSettings};

/// A certificate with those between it and its authority, and its key.
type Own = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Who we are.
#[derive(Default)]
pub(super) struct Identity {
    pub(super) own: Option<Own>,
    /// Certificates that came besides: their issuers count as well.
    pub(super) authorities: Vec<CertificateDer<'static>>,
}

/// Reads what the settings say of ourselves.
///
/// # Errors
/// Something is missing, can't be read, or the passphrase is wrong.
pub(super) fn read(settings: &TlsSettings) -> Result<Identity, TlsError> {
    if let Some(bytes) = &settings.pkcs12 {
        return pkcs12(bytes, &settings.passphrase);
    }
    let own = match (&settings.certificate, &settings.key) {
        (None, None) => None,
        (Some(chain), Some(key)) => Some((
            certificates(chain, "The certificate")?,
            private_key(key, &settings.passphrase)?,
        )),
        _ => {
            return Err(TlsError(
                "A certificate needs its private key, and a private key its certificate: give both or none"
                    .into(),
            ));
        }
    };
    Ok(Identity {
        own,
        authorities: Vec::new(),
    })
}

/// All certificates of a PEM text; `what` begins the error.
pub(super) fn certificates(
    pem: &[u8],
    what: &str,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(TlsError(format!(
            "{what} is not in PEM: there is no -----BEGIN CERTIFICATE----- in it"
        ))),
        Err(error) => Err(TlsError(format!("{what} can't be read: {error}"))),
    }
}

fn private_key(pem: &[u8], passphrase: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    if let Ok(key) = PrivateKeyDer::from_pem_slice(pem) {
        return Ok(key);
    }
    let Some(encrypted) = encrypted(pem) else {
        let is_old = pem
            .windows(b"Proc-Type".len())
            .any(|part| part == b"Proc-Type");
        return Err(TlsError(match is_old {
            true => "The private key is encrypted in an old way; write it anew with: openssl pkcs8 -topk8 -in old.key -out new.key".into(),
            false => "The private key is not in PEM: there is no -----BEGIN PRIVATE KEY----- in it".into(),
        }));
    };
    if passphrase.is_empty() {
        return Err(TlsError(
            "The private key is encrypted: it needs its passphrase".into(),
        ));
    }
    let decrypted = EncryptedPrivateKeyInfoRef::try_from(encrypted.as_bytes())
        .and_then(|key| key.decrypt(passphrase));
    match decrypted {
        Ok(key) => Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into()),
        Err(_) => Err(TlsError(
            "The private key can't be decrypted: its passphrase is another one".into(),
        )),
    }
}

/// What stands under `-----BEGIN ENCRYPTED PRIVATE KEY-----`.
fn encrypted(pem: &[u8]) -> Option<SecretDocument> {
    const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
    let text = std::str::from_utf8(pem).ok()?;
    let begin = text.find("-----BEGIN ENCRYPTED PRIVATE KEY-----")?;
    let end = begin + text[begin..].find(END)? + END.len();
    let (_, document) = SecretDocument::from_pem(&text[begin..end]).ok()?;
    Some(document)
}

fn pkcs12(bytes: &[u8], passphrase: &str) -> Result<Identity, TlsError> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, passphrase).map_err(|error| {
        TlsError(format!(
            "The PKCS#12 file can't be read, or its passphrase is another one: {error}"
        ))
    })?;
    let der = |bytes: &[u8]| CertificateDer::from(bytes.to_vec());
    let Some(key) = archive.keys.first() else {
        let certificates = archive.certs.iter().map(|one| der(one.cert.as_der()));
        return Ok(Identity {
            own: None,
            authorities: certificates.collect(),
        });
    };
    let is_own = |position: usize| match &key.local_key_id {
        Some(id) => archive.certs[position].local_key_id.as_ref() == Some(&id.0),
        None => position == 0,
    };
    let own = (0..archive.certs.len()).find(|position| is_own(*position));
    let Some(own) = own else {
        return Err(TlsError(
            "The PKCS#12 file has a private key, but no certificate for it".into(),
        ));
    };
    let mut chain = vec![der(archive.certs[own].cert.as_der())];
    let others: Vec<_> = (0..archive.certs.len())
        .filter(|position| *position != own)
        .map(|position| der(archive.certs[position].cert.as_der()))
        .collect();
    chain.extend(others.iter().cloned());
    let key = PrivatePkcs8KeyDer::from(key.key.as_der().to_vec()).into();
    Ok(Identity {
        own: Some((chain, key)),
        authorities: others,
    })
}
