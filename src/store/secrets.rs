//! Credentials at rest: XChaCha20-Poly1305 under a random key in a file of its own.

use std::path::{Path, PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use serde::{Deserialize, Serialize};

use super::{
    Credentials, StoreError,
    file::{read_whole, set_aside, write_whole},
};

/// Bound to each ciphertext, so that it can't be taken for something else.
const PURPOSE: &[u8] = b"flowrill credentials 1";
const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;

/// Encrypted credentials: what may lie on a disk. The nonce is drawn anew for each, and is also its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    pub(super) nonce: String,
    ciphertext: String,
}

/// Why credentials could not be encrypted or read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretsError {
    #[error("it does not belong to the key in this folder, or it is damaged")]
    Unreadable,
    #[error("the system gives no random numbers: {0}")]
    NoRandom(String),
    #[error("they can't be encrypted")]
    Refused,
}

/// The key. There is no way to print it.
pub(super) struct SecretKey(XChaCha20Poly1305);

impl SecretKey {
    /// Reads the key, or makes a new one. A key file that is no key is set aside; the sentence says so.
    ///
    /// # Errors
    /// When the file can't be read or written.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<String>), StoreError> {
        let mut notice = None;
        if let Some(text) = read_whole(path)? {
            let bytes = BASE64_STANDARD.decode(text.trim_ascii());
            if let Some(key) = bytes.ok().and_then(|bytes| Self::from_bytes(&bytes)) {
                return Ok((key, None));
            }
            let aside = set_aside(path, "damaged")?;
            notice = Some(format!(
                "The key file {} is damaged. It was set aside as {} and a new key was made; put the right file back if you have it",
                path.display(),
                aside.display()
            ));
        }
        let mut bytes = [0_u8; KEY_LENGTH];
        random(&mut bytes).map_err(|error| StoreError::Io {
            action: "written",
            path: path.to_owned(),
            source: std::io::Error::other(error.to_string()),
        })?;
        write_whole(
            path,
            format!("{}\n", BASE64_STANDARD.encode(bytes)).as_bytes(),
        )?;
        let key = Self::from_bytes(&bytes).ok_or_else(|| StoreError::Io {
            action: "read",
            path: path.to_owned(),
            source: std::io::ErrorKind::InvalidData.into(),
        })?;
        Ok((key, notice))
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        XChaCha20Poly1305::new_from_slice(bytes).ok().map(Self)
    }

    /// Encrypts; none when there is nothing to encrypt.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub(super) fn seal(&self, credentials: &Credentials) -> Result<Option<Sealed>, SecretsError> {
        if credentials.is_empty() {
            return Ok(None);
        }
        let plain = serde_json::to_vec(credentials).map_err(|_| SecretsError::Refused)?;
        let mut nonce = [0_u8; NONCE_LENGTH];
        random(&mut nonce)?;
        let payload = Payload {
            msg: &plain,
            aad: PURPOSE,
        };
        let ciphertext = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SecretsError::Refused)?;
        Ok(Some(Sealed {
            nonce: BASE64_STANDARD.encode(nonce),
            ciphertext: BASE64_STANDARD.encode(ciphertext),
        }))
    }

    /// Decrypts.
    ///
    /// # Errors
    /// With another key, or when a bit has flipped: there is no telling which.
    pub(super) fn open_sealed(&self, sealed: &Sealed) -> Result<Credentials, SecretsError> {
        let decode = |text: &str| {
            BASE64_STANDARD
                .decode(text)
                .map_err(|_| SecretsError::Unreadable)
        };
        let nonce: [u8; NONCE_LENGTH] = decode(&sealed.nonce)?
            .try_into()
            .map_err(|_| SecretsError::Unreadable)?;
        let ciphertext = decode(&sealed.ciphertext)?;
        let payload = Payload {
            msg: &ciphertext,
            aad: PURPOSE,
        };
        let plain = self
            .0
            .decrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SecretsError::Unreadable)?;
        serde_json::from_slice(&plain).map_err(|_| SecretsError::Unreadable)
    }
}

fn random(bytes: &mut [u8]) -> Result<(), SecretsError> {
    getrandom::fill(bytes).map_err(|error| SecretsError::NoRandom(error.to_string()))
}

/// Where the key of a data folder lies.
pub(super) fn key_path(folder: &Path) -> PathBuf {
    folder.join("key")
}
