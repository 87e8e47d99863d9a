//! Users that a part of this process brings along, for as long as it is there.

use std::sync::Arc;

use super::{Access, AccessConfig, User};
use crate::broker::core::Core;

/// A user who is lent.
pub(super) struct Lent {
    name: String,
    /// A hash of the password.
    password: String,
}

/// Holds a user who is lent. Dropping it takes the user away.
pub struct LentUser {
    core: Arc<Core>,
    name: String,
    password: String,
}

/// Its own users come before those who are lent.
pub(super) fn with(own: &AccessConfig, lent: &[Lent]) -> AccessConfig {
    let mut config = own.clone();
    for one in lent {
        config
            .users
            .entry(one.name.clone())
            .or_insert_with(|| User {
                password: one.password.clone(),
                roles: Vec::new(),
                rules: Vec::new(),
            });
    }
    config
}

impl Access {
    /// Whether the settings have a user of this name.
    pub(in crate::broker) fn has_own(&self, name: &str) -> bool {
        self.own.lock().0.users.contains_key(name)
    }

    fn lend(&self, name: String, password: String) {
        let mut own = self.own.lock();
        own.1.push(Lent { name, password });
        self.apply(&own);
    }

    fn take_back(&self, name: &str, password: &str) {
        let mut own = self.own.lock();
        let mut lent = own.1.iter();
        let place = lent.position(|one| one.name == name && one.password == password);
        if let Some(place) = place {
            own.1.remove(place);
        }
        self.apply(&own);
    }
}

impl LentUser {
    /// `password` is a hash.
    pub(in crate::broker) fn new(core: &Arc<Core>, name: &str, password: &str) -> Self {
        core.access.lend(name.to_owned(), password.to_owned());
        Self {
            core: core.clone(),
            name: name.to_owned(),
            password: password.to_owned(),
        }
    }
}

impl Drop for LentUser {
    fn drop(&mut self) {
        self.core.access.take_back(&self.name, &self.password);
        self.core.apply_access();
    }
}
