//! The database of a context store, and what is known of its content.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use sha2::{Digest, Sha256};

use super::encode::{Encoded, decode, encode};
use crate::{
    message::Value,
    store::{
        StoreError,
        database::{SledValues, StoredValue, ValueChange},
        file::set_aside,
    },
};

/// A value that takes more than this on the disk is not kept there.
pub(super) const MAX_VALUE: usize = 16 << 20;
/// Nor are values beyond this, all together.
const MAX_ALL: usize = 256 << 20;
/// Values that are remembered as warned about.
const MAX_WARNED: usize = 1_000;

/// The database.
pub(super) struct Disk {
    pub(super) database: SledValues,
    pub(super) stored: HashMap<(String, String), Stored>,
    next_order: u64,
    /// The length of all values together.
    length: usize,
    /// What could not be kept, so that it is said once.
    pub(super) warned: HashSet<(String, String)>,
    /// The last flush failed, which was said.
    pub(super) failing: bool,
}

/// What the database holds of a value.
#[derive(Clone, Copy)]
pub(super) struct Stored {
    order: u64,
    length: usize,
    checksum: [u8; 32],
}

impl Disk {
    /// What this database holds is not known yet.
    pub(super) fn new(database: SledValues) -> Self {
        Self {
            database,
            stored: HashMap::new(),
            next_order: 0,
            length: 0,
            warned: HashSet::new(),
            failing: false,
        }
    }

    /// The database holds this.
    pub(super) fn remember(&mut self, value: StoredValue) {
        self.next_order = self.next_order.max(value.order + 1);
        self.length += value.bytes.len();
        let stored = Stored {
            order: value.order,
            length: value.bytes.len(),
            checksum: Sha256::digest(&value.bytes).into(),
        };
        self.stored.insert((value.scope, value.name), stored);
    }

    /// What to write so that the database holds this value; none when it does.
    pub(super) fn change(
        &mut self,
        scope: &str,
        name: String,
        value: &Value,
    ) -> Option<ValueChange> {
        let place = (scope.to_owned(), name);
        let stored = self.stored.get(&place).copied();
        let before = stored.map_or(0, |stored| stored.length);
        let encoded = match value.is_undefined() {
            true => Encoded::default(),
            false => encode(value),
        };
        let all = self.length - before;
        let (bytes, lost) = match encoded.bytes {
            Some(bytes) if bytes.len() > MAX_VALUE => (None, Some("is too large")),
            Some(bytes) if all + bytes.len() > MAX_ALL => (None, Some("finds no more room")),
            bytes => (bytes, encoded.lost),
        };
        self.tell(&place, lost);
        let same = match (&bytes, stored) {
            (Some(bytes), Some(stored)) => *Sha256::digest(bytes) == stored.checksum,
            (None, None) => true,
            _ => false,
        };
        if same {
            return None;
        }
        let order = stored.map_or(self.next_order, |stored| stored.order);
        self.next_order = self.next_order.max(order + 1);
        let (scope, name) = place;
        Some(ValueChange {
            scope,
            name,
            order,
            bytes,
            before: Some(before),
        })
    }

    /// Warns of what is not kept, once until it is kept again.
    fn tell(&mut self, place: &(String, String), lost: Option<&str>) {
        let Some(lost) = lost else {
            self.warned.remove(place);
            return;
        };
        if self.warned.len() < MAX_WARNED && self.warned.insert(place.clone()) {
            let (scope, name) = place;
            tracing::warn!(
                "The context value \"{name}\" of {scope} {lost}: that will be gone after a restart"
            );
        }
    }

    /// Carries out these changes.
    ///
    /// # Errors
    /// When they can't be written.
    pub(super) fn apply(&mut self, changes: Vec<ValueChange>) -> Result<(), StoreError> {
        self.database.write(&changes, &[])?;
        for change in changes {
            self.length -= change.before.unwrap_or_default();
            match change.bytes {
                Some(bytes) => self.remember(StoredValue {
                    scope: change.scope,
                    name: change.name,
                    order: change.order,
                    bytes,
                }),
                None => drop(self.stored.remove(&(change.scope, change.name))),
            }
        }
        Ok(())
    }
}

/// A database and what is in it.
pub(super) struct Loaded {
    pub(super) database: SledValues,
    /// Its sound values, in their order.
    pub(super) values: Vec<(StoredValue, Value)>,
    /// How many are not.
    damaged: usize,
}

/// The database with its values, and whether it is the one that they were read from: a damaged one is set aside, and a new
/// one takes its place.
///
/// # Errors
/// When the files can't be read or written at all.
pub(super) fn open_database(
    path: &Path,
    notices: &mut Vec<String>,
) -> Result<(Loaded, bool), StoreError> {
    let (reason, values) = match load(path) {
        Ok(loaded) if loaded.damaged == 0 => return Ok((loaded, true)),
        Ok(loaded) => {
            let reason = format!(
                "{} of its values can't be read; the others were kept",
                loaded.damaged
            );
            (reason, loaded.values)
        }
        Err(StoreError::Database {
            damaged: true,
            reason,
            ..
        }) => (format!("{reason}; its values are gone"), Vec::new()),
        Err(error) => return Err(error),
    };
    let aside = set_aside(path, "damaged")?;
    notices.push(format!(
        "THE CONTEXT STORE {} IS DAMAGED ({reason}). It was set aside as {}",
        path.display(),
        aside.display()
    ));
    let loaded = Loaded {
        database: SledValues::open(path, "context")?,
        values,
        damaged: 0,
    };
    Ok((loaded, false))
}

fn load(path: &Path) -> Result<Loaded, StoreError> {
    let database = SledValues::open(path, "context")?;
    let (stored, mut damaged) = database.load()?;
    let mut values = Vec::with_capacity(stored.len());
    for value in stored {
        match decode(&value.bytes) {
            Some(content) => values.push((value, content)),
            None => damaged += 1,
        }
    }
    values.sort_by_key(|(value, _)| value.order);
    Ok(Loaded {
        database,
        values,
        damaged,
    })
}
