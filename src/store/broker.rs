//! What the broker keeps on the disk, in a database of its own.

use std::path::Path;

use super::{
    StoreError,
    database::{SledValues, ValueChange},
    file::set_aside,
};

const DATABASE: &str = "broker.sled";

/// The broker's database in a data folder.
pub struct BrokerStore {
    values: SledValues,
    notices: Vec<String>,
}

/// A value as it was stored.
#[derive(Debug)]
pub struct StoredRecord {
    /// The kind of thing.
    pub scope: String,
    pub name: String,
    pub bytes: Vec<u8>,
}

/// A value to write, or to remove when it has no bytes.
#[derive(Clone, Debug)]
pub struct RecordChange {
    pub scope: String,
    /// None: all that there is in the scope, which can only be removed.
    pub name: Option<String>,
    pub bytes: Option<Vec<u8>>,
}

impl BrokerStore {
    /// Opens the database in this data folder, or makes one; gives what it holds. A damaged one is set aside.
    ///
    /// # Errors
    /// It can't be read or written at all.
    pub fn open(data: &Path) -> Result<(Self, Vec<StoredRecord>), StoreError> {
        let path = data.join(DATABASE);
        let mut notices = Vec::new();
        let opened = SledValues::open(&path, "broker").and_then(|values| {
            let loaded = values.load()?;
            Ok((values, loaded))
        });
        let (values, (stored, damaged)) = opened.or_else(|error| {
            let StoreError::Database {
                damaged: true,
                reason,
                ..
            } = error
            else {
                return Err(error);
            };
            let aside = set_aside(&path, "damaged")?;
            notices.push(format!(
                "THE BROKER'S DATABASE IS DAMAGED ({reason}). It was set aside as {}; retained messages and sessions are gone",
                aside.display()
            ));
            let values = SledValues::open(&path, "broker")?;
            Ok((values, (Vec::new(), 0)))
        })?;
        if damaged > 0 {
            notices.push(format!(
                "{damaged} record(s) of the broker's database {} are damaged and were passed over",
                path.display()
            ));
        }
        let records = stored.into_iter().map(|value| StoredRecord {
            scope: value.scope,
            name: value.name,
            bytes: value.bytes,
        });
        Ok((Self { values, notices }, records.collect()))
    }

    /// What had to be put right when it was opened.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Carries out these changes, all or none. When it returns they outlive the process and a power cut.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn write(&self, changes: Vec<RecordChange>) -> Result<(), StoreError> {
        let (mut single, mut scopes) = (Vec::new(), Vec::new());
        for change in changes {
            match change.name {
                None => scopes.push(change.scope),
                Some(name) => single.push(ValueChange {
                    scope: change.scope,
                    name,
                    order: 0,
                    bytes: change.bytes,
                    before: None,
                }),
            }
        }
        self.values.write(&single, &scopes)?;
        self.values.flush()
    }
}
