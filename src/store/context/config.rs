//! Which context stores there are (Node-RED's `contextStorage`), and how they are opened.

use std::{path::Path, sync::Arc, time::Duration};

use super::{DiskContext, TemporaryFolder};
use crate::{
    engine::{ContextStore, MemoryStore},
    store::StoreError,
};

/// How long a change may wait for the disk, unless the store says something else.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);
/// A day.
const MAX_INTERVAL_S: f64 = 86_400.0;

/// What a store is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum ContextModule {
    /// Gone when the process ends.
    Memory,
    /// On the disk; a change is written this long after it was made.
    Disk { interval: Duration },
}

impl ContextModule {
    /// The module of this name, with the seconds that a change may wait if they were set.
    ///
    /// # Errors
    /// A sentence when there is no such module, or the time can't be used.
    pub fn named(module: &str, interval: Option<f64>) -> Result<Self, String> {
        match (module, interval) {
            ("memory", _) => Ok(Self::Memory),
            ("localfilesystem" | "disk", None) => Ok(Self::Disk {
                interval: DEFAULT_INTERVAL,
            }),
            ("localfilesystem" | "disk", Some(seconds))
                if (0.0..=MAX_INTERVAL_S).contains(&seconds) =>
            {
                Ok(Self::Disk {
                    // Never for each message.
                    interval: Duration::from_secs_f64(seconds.max(1.0)),
                })
            }
            ("localfilesystem" | "disk", Some(_)) => Err(format!(
                "the interval is a number of seconds, at most {MAX_INTERVAL_S}"
            )),
            (other, _) => Err(format!(
                "there is no context store of the module \"{other}\"; there are memory and localfilesystem"
            )),
        }
    }
}

/// The stores by name, the default one first. None: only the built-in memory store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContextConfig {
    stores: Vec<(String, ContextModule)>,
}

/// Where stores on the disk lie.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// In this data folder.
    Data(&'a Path),
    /// In a folder that goes away with them.
    Temporary,
}

type Stores = Vec<(String, Arc<dyn ContextStore>)>;

impl ContextConfig {
    /// These stores. The default one is that which `default` names, else the one called `default`, else the first.
    ///
    /// # Errors
    /// A sentence about a name that can't be used.
    pub fn new(
        mut stores: Vec<(String, ContextModule)>,
        default: Option<&str>,
    ) -> Result<Self, String> {
        for (name, _) in &stores {
            let sound = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || name == "_" || !name.chars().all(sound) {
                return Err(format!(
                    "\"{name}\" can't be the name of a context store; use letters, digits and _"
                ));
            }
        }
        let place = |wanted: &str| stores.iter().position(|(name, _)| name == wanted);
        let first = match default {
            Some(name) => place(name).ok_or_else(|| {
                format!(
                    "the default context store is to be \"{name}\", and there is none of that name"
                )
            })?,
            None => place("default").unwrap_or(0),
        };
        if let Some(rotated) = stores.get_mut(..=first) {
            rotated.rotate_right(1);
        }
        Ok(Self { stores })
    }

    /// Opens the stores, and says what was damaged. Needs tokio, which writes behind.
    ///
    /// # Errors
    /// When the files of a store can't be read or written at all.
    pub fn open(&self, place: Place) -> Result<(Stores, Vec<String>), StoreError> {
        let (mut stores, mut notices) = (Stores::new(), Vec::new());
        for (name, module) in &self.stores {
            let store: Arc<dyn ContextStore> = match module {
                ContextModule::Memory => Arc::new(MemoryStore::default()),
                ContextModule::Disk { interval } => {
                    let (store, told) = match place {
                        Place::Data(folder) => {
                            DiskContext::open(&folder.join("context").join(format!("{name}.sled")))?
                        }
                        Place::Temporary => DiskContext::open_temporary(TemporaryFolder::new())?,
                    };
                    notices.extend(told);
                    let store = Arc::new(store);
                    store.write_behind(*interval);
                    store
                }
            };
            stores.push((name.clone(), store));
        }
        Ok((stores, notices))
    }
}
