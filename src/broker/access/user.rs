//! Users and their passwords.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};

use super::Rule;

/// Somebody who may connect.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// A hash of the password: argon2, or `$6$` and `$7$` as Mosquitto writes them.
    pub password: String,
    /// Names of roles, whose rules hold for the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Rules of the user's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

impl std::fmt::Debug for User {
    /// Hashes are nobody's business, either.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("User")
            .field("roles", &self.roles)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// The argon2 hash of a password, with a salt of its own. Takes some ten milliseconds.
///
/// # Errors
/// The system has no random numbers, or no memory.
pub fn hash_password(password: &[u8]) -> Result<String, String> {
    let hash = Argon2::default().hash_password(password);
    hash.map(|hash| hash.to_string())
        .map_err(|error| error.to_string())
}

/// Whether a text is a hash that [`is_password`] understands.
pub fn is_hash(hash: &str) -> bool {
    mosquitto(hash).is_some()
        || PasswordHash::new(hash).is_ok_and(|hash| hash.algorithm.as_str().starts_with("argon2"))
}

/// Whether this is the password of a hash. Takes as long as [`hash_password`].
pub(super) fn is_password(hash: &str, password: &[u8]) -> bool {
    if let Some(Mosquitto {
        iterations,
        salt,
        hash,
    }) = mosquitto(hash)
    {
        let mut made = [0; 64];
        match iterations {
            None => {
                made = Sha512::new()
                    .chain_update(password)
                    .chain_update(salt)
                    .finalize()
                    .into();
            }
            Some(rounds) => {
                pbkdf2::pbkdf2_hmac::<Sha512>(password, &salt, rounds, &mut made);
            }
        }
        return same(&made, &hash);
    }
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

/// A hash of mosquitto_passwd.
struct Mosquitto {
    /// Of PBKDF2 (`$7$`); none: the plain hash of `$6$`.
    iterations: Option<u32>,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

fn mosquitto(text: &str) -> Option<Mosquitto> {
    let mut parts = text.strip_prefix('$')?.split('$');
    let iterations = match parts.next()? {
        "6" => None,
        // More would be an attack rather than a setting.
        "7" => Some(
            parts
                .next()?
                .parse()
                .ok()
                .filter(|count| (1..=10_000_000).contains(count))?,
        ),
        _ => return None,
    };
    let salt = STANDARD.decode(parts.next()?).ok()?;
    let hash = STANDARD.decode(parts.next()?).ok()?;
    (hash.len() == 64 && parts.next().is_none()).then_some(Mosquitto {
        iterations,
        salt,
        hash,
    })
}

/// In a time that tells nothing.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .fold(0, |difference, (one, other)| difference | (one ^ other))
            == 0
}
