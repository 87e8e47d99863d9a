//! Who may connect to the broker, and what they may do there.

mod file;
mod lent;
mod live;
mod rule;
mod user;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, task};

use super::codec::reason;

pub use file::{AccessFile, AccessFileError};
pub use lent::LentUser;
pub(super) use live::{Source, is_same_client};
pub(super) use rule::Rights;
pub use rule::{Action, Rule};
pub use user::{User, hash_password, is_hash};

/// The role of the flows in this process.
const FLOWS: &str = "flows";
/// The role of clients without a name.
pub const NAMELESS: &str = "anonymous";
/// Passwords that are looked at, at the same time: each takes memory and time.
const AT_ONCE: usize = 2;

/// Who may do what.
///
/// Without users everybody has the same name: none. Without rules everybody who is let in may do everything; as soon as there
/// is one rule, only what a rule allows may be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessConfig {
    /// By name.
    #[serde(default)]
    pub users: BTreeMap<String, User>,
    /// Rules by the name of a role.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<Rule>>,
    /// Rules for everybody, those without a name included.
    #[serde(default)]
    pub everybody: Vec<Rule>,
    /// Nobody comes in but the flows of this process, because it is not known who may.
    #[serde(skip)]
    pub closed: bool,
}

impl AccessConfig {
    /// What is wrong with it, if anything.
    ///
    /// # Errors
    /// A sentence that names the user or the role.
    pub fn check(&self) -> Result<(), String> {
        for (name, user) in &self.users {
            if !is_hash(&user.password) {
                return Err(format!(
                    "The password of the user \"{name}\" is no hash that Flowrill knows; set it with flowrill mqtt user passwd {name}"
                ));
            }
            if let Some(role) = user
                .roles
                .iter()
                .find(|role| !self.roles.contains_key(*role))
            {
                return Err(format!(
                    "The user \"{name}\" has the role \"{role}\", which does not exist"
                ));
            }
        }
        let own = self.users.values().flat_map(|user| &user.rules);
        let rules = own
            .chain(self.roles.values().flatten())
            .chain(&self.everybody);
        rules.into_iter().try_for_each(Rule::check)
    }

    /// With the users, roles and rules of `fixed` over its own.
    #[must_use]
    pub fn under(mut self, fixed: &Self) -> Self {
        self.users.extend(fixed.users.clone());
        self.roles.extend(fixed.roles.clone());
        self.everybody.extend(fixed.everybody.clone());
        self
    }

    /// Whether everybody who is let in may do everything.
    fn has_no_rules(&self) -> bool {
        self.everybody.is_empty()
            && self.roles.values().all(Vec::is_empty)
            && self.users.values().all(|user| user.rules.is_empty())
    }

    /// What a client may do.
    pub(super) fn rights(&self, user: Option<&str>, client_id: &str) -> Rights {
        if self.has_no_rules() {
            return Rights::Everything;
        }
        let known = user.and_then(|name| self.users.get(name));
        let roles = known
            .iter()
            .flat_map(|user| &user.roles)
            .filter_map(|role| self.roles.get(role))
            .flatten();
        let own = known.iter().flat_map(|user| &user.rules);
        let nameless = self.roles.get(NAMELESS).filter(|_| user.is_none());
        let roles = roles.chain(nameless.into_iter().flatten());
        Rights::of(
            self.everybody.iter().chain(roles).chain(own),
            user,
            client_id,
        )
    }
}

/// A user who has come in.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) name: Arc<str>,
    /// Of the password that was right; none for who has come with a certificate.
    hash: Option<Arc<str>>,
}

/// Who a session's client is, and what it may do.
#[derive(Debug)]
pub(super) struct Identity {
    /// None: nobody in particular.
    login: Option<Login>,
    /// A part of this process.
    is_flows: bool,
    pub(super) rights: Rights,
}

impl Identity {
    /// Whether it may publish to this topic. What is below `$SYS` is the broker's own.
    pub(super) fn may_publish(&self, topic: &str) -> bool {
        !topic.starts_with("$SYS/") && self.rights.allow(Action::Publish, topic)
    }

    /// Whether it is a part of this process.
    pub(super) fn is_flows(&self) -> bool {
        self.is_flows
    }

    /// Whether its name is that of a certificate.
    pub(super) fn is_certified(&self) -> bool {
        let login = self.login.as_ref();
        login.is_some_and(|login| login.hash.is_none())
    }

    /// The user's name.
    pub(super) fn user(&self) -> Option<&Arc<str>> {
        self.login.as_ref().map(|login| &login.name)
    }
}

/// The access rules that hold now.
pub(super) struct Access {
    /// With the users who are lent.
    config: ArcSwap<AccessConfig>,
    /// Without them, and they.
    own: Mutex<(AccessConfig, Vec<lent::Lent>)>,
    /// By user: what was compared with which hash, so that a device that comes back costs nothing.
    verified: Mutex<HashMap<String, ([u8; 32], String)>>,
    places: Semaphore,
}

impl Access {
    pub(super) fn new(config: AccessConfig) -> Self {
        Self {
            config: ArcSwap::from_pointee(config.clone()),
            own: Mutex::new((config, Vec::new())),
            verified: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
        }
    }

    pub(super) fn config(&self) -> Arc<AccessConfig> {
        self.config.load_full()
    }

    pub(super) fn set(&self, config: AccessConfig) {
        let mut own = self.own.lock();
        own.0 = config;
        self.apply(&own);
    }

    fn apply(&self, (own, lent): &(AccessConfig, Vec<lent::Lent>)) {
        let config = lent::with(own, lent);
        self.verified.lock().retain(|name, (_, hash)| {
            let user = config.users.get(name);
            user.is_some_and(|user| user.password == *hash)
        });
        self.config.store(Arc::new(config));
    }

    /// A client of this name, with the rights that it has now.
    pub(super) fn identity(&self, login: Option<Login>, client_id: &str) -> Identity {
        let user = login.as_ref().map(|login| &*login.name);
        let rights = self.config.load().rights(user, client_id);
        Identity {
            login,
            is_flows: false,
            rights,
        }
    }

    /// The client of a stored session; none if its user is no longer there. Who came with a certificate needs no user.
    pub(super) fn restored(
        &self,
        user: Option<&str>,
        is_certified: bool,
        client_id: &str,
    ) -> Option<Identity> {
        let config = self.config.load();
        let login = match user {
            None => None,
            Some(name) => Some(Login {
                name: name.into(),
                hash: match is_certified {
                    true => None,
                    false => Some(config.users.get(name)?.password.as_str().into()),
                },
            }),
        };
        Some(self.identity(login, client_id))
    }

    /// The flows of this process: they may do everything, unless there is a role for them.
    pub(super) fn flows(&self, client_id: &str) -> Identity {
        let rights = match self.config.load().roles.get(FLOWS) {
            Some(rules) => Rights::of(rules.iter(), None, client_id),
            None => Rights::Everything,
        };
        Identity {
            login: None,
            is_flows: true,
            rights,
        }
    }

    /// Who a client is now; none if its user is no longer there, or has another password.
    fn renewed(&self, old: &Identity, client_id: &str) -> Option<Identity> {
        if old.is_flows {
            return Some(self.flows(client_id));
        }
        if self.config.load().closed {
            return None;
        }
        let is_there = old.login.as_ref().is_none_or(|login| {
            login.hash.as_ref().is_none_or(|hash| {
                let user = self.config.load().users.get(&*login.name).cloned();
                user.is_some_and(|user| *user.password == **hash)
            })
        });
        is_there.then(|| self.identity(old.login.clone(), client_id))
    }

    /// Who comes in with this name in a certificate, which counts as a password that was right.
    ///
    /// # Errors
    /// A reason code.
    pub(super) fn certified(&self, name: Arc<str>) -> Result<(Option<Login>, bool), u8> {
        match self.config.load().closed {
            true => Err(reason::NOT_AUTHORIZED),
            false => Ok((Some(Login { name, hash: None }), false)),
        }
    }

    /// Who comes in with this name and password; none: nobody in particular, where `anonymous` may. Looks at passwords off the
    /// tasks that serve clients, and only if `may_try` says so. Also tells whether it did.
    ///
    /// # Errors
    /// A reason code.
    pub(super) async fn login(
        &self,
        name: Option<&str>,
        password: Option<&[u8]>,
        anonymous: bool,
        may_try: impl FnOnce() -> bool,
    ) -> Result<(Option<Login>, bool), u8> {
        let config = self.config();
        if config.closed {
            return Err(reason::NOT_AUTHORIZED);
        }
        // Without users a name tells nothing.
        let Some(name) = name.filter(|_| !config.users.is_empty()) else {
            return match anonymous {
                true => Ok((None, false)),
                false => Err(reason::NOT_AUTHORIZED),
            };
        };
        let known = config.users.get(name);
        let is_known = known.is_some();
        // Else somebody's, so that an unknown name takes as long as a wrong password.
        let looked_at = known.or_else(|| config.users.values().next());
        let hash = looked_at.map_or_else(String::new, |user| user.password.clone());
        let login = Login {
            name: name.into(),
            hash: Some(hash.as_str().into()),
        };
        let password = password.unwrap_or_default().to_vec();
        let digest: [u8; 32] = Sha256::digest(&password).into();
        let is_verified = |(known, of): &([u8; 32], String)| *known == digest && *of == hash;
        if is_known && self.verified.lock().get(name).is_some_and(is_verified) {
            return Ok((Some(login), false));
        }
        if !may_try() {
            return Err(reason::CONNECTION_RATE_EXCEEDED);
        }
        let place = self.places.acquire().await;
        let _place = place.map_err(|_| reason::SERVER_UNAVAILABLE)?;
        let checked = hash.clone();
        let checking = task::spawn_blocking(move || user::is_password(&checked, &password));
        if !checking.await.unwrap_or(false) || !is_known {
            return Err(reason::BAD_LOGIN);
        }
        let mut verified = self.verified.lock();
        verified.insert(name.to_owned(), (digest, hash));
        Ok((Some(login), true))
    }
}
