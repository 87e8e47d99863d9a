//! What a start makes of the files it finds: damaged ones are set aside, the newer sound copy wins, both are brought together.
//! Whatever it had to put right becomes a notice for the person who runs Flowrill.

use std::path::Path;

use super::{
    Credentials, StoreError, StoredVersion,
    database::SledVersions,
    file::set_aside,
    mirror::{Found, Mirror},
    record::Record,
    secrets::{SecretKey, key_path},
};
use crate::flow::Flows;

const DATABASE: &str = "flows.sled";

/// The parts of a store that agree with one another.
pub(super) struct Recovered {
    pub(super) database: SledVersions,
    pub(super) mirror: Mirror,
    pub(super) key: SecretKey,
    pub(super) newest: Option<Record>,
    pub(super) credentials: Credentials,
    /// The highest number seen, of damaged versions too.
    pub(super) last_number: u64,
    pub(super) notices: Vec<String>,
}

/// Opens what is in the folder.
///
/// # Errors
/// When files can't be read or written at all.
pub(super) fn recover(folder: &Path) -> Result<Recovered, StoreError> {
    let mut notices = Vec::new();
    let (key, notice) = SecretKey::open(&key_path(folder))?;
    notices.extend(notice);
    let database = open_database(folder, &mut notices)?;
    let (stored, damaged) = database.newest()?;
    if !damaged.is_empty() {
        notices.push(format!(
            "The newest {} version(s) of the flows in {} are damaged and were passed over",
            damaged.len(),
            folder.join(DATABASE).display()
        ));
    }
    let mirror = Mirror::new(folder);
    let mirrored = read_mirror(&mirror, stored.as_ref(), &mut notices)?;
    let seen = [&stored, &mirrored].into_iter().flatten();
    let last_number = seen.map(|record| record.number).chain(damaged).max();
    let copies = Copies {
        database: &database,
        mirror: &mirror,
        key: &key,
    };
    let mut newest = copies.agree(stored, mirrored, &mut notices);
    let credentials = copies.read_credentials(newest.as_mut(), &mut notices);
    Ok(Recovered {
        database,
        mirror,
        key,
        newest,
        credentials,
        last_number: last_number.unwrap_or(0),
        notices,
    })
}

/// A damaged database is set aside, and a new one takes its place. One that can't be reached is an error: it may be sound.
fn open_database(folder: &Path, notices: &mut Vec<String>) -> Result<SledVersions, StoreError> {
    let path = folder.join(DATABASE);
    let opened = SledVersions::open(&path).and_then(|database| {
        database.newest()?;
        Ok(database)
    });
    opened.or_else(|error| {
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
            "THE FLOW DATABASE IS DAMAGED ({reason}). It was set aside as {}; the newest flows come from flows.json, earlier versions are gone",
            aside.display()
        ));
        SledVersions::open(&path)
    })
}

/// The mirror's version if it is sound. One that somebody changed is kept under another name, and is taken only when
/// there is nothing else.
fn read_mirror(
    mirror: &Mirror,
    stored: Option<&Record>,
    notices: &mut Vec<String>,
) -> Result<Option<Record>, StoreError> {
    let path = mirror.flows_path();
    match (mirror.read()?, stored) {
        (Found::Sound(record), _) => Ok(Some(record)),
        (Found::Nothing, None) => Ok(None),
        (Found::Nothing, Some(_)) => {
            notices.push("flows.json was missing and was written anew from the database".into());
            Ok(None)
        }
        (Found::Changed(flows), Some(stored)) if flows.rev() == stored.version.rev => {
            notices.push("flows.meta.json was missing or damaged and was written anew".into());
            Ok(None)
        }
        (Found::Changed(_), Some(_)) => {
            let aside = set_aside(path, "changed")?;
            notices.push(format!(
                "flows.json was changed by something other than Flowrill. It was set aside, and the flows of the last deploy run; to deploy it, start with --flows {}",
                aside.display()
            ));
            Ok(None)
        }
        (Found::Changed(flows), None) => {
            notices.push(format!(
                "{} has no sound record beside it, but it can be read and there is nothing else, so it was taken as it is",
                path.display()
            ));
            Ok(Some(taken_as_it_is(flows, mirror)?))
        }
        (Found::Damaged(reason), stored) => {
            let aside = set_aside(path, "damaged")?;
            let rest = match stored {
                Some(_) => "the flows come from the database",
                None => "there is no other copy, so Flowrill starts without flows",
            };
            notices.push(format!(
                "flows.json is damaged ({reason}). It was set aside as {}, and {rest}",
                aside.display()
            ));
            Ok(None)
        }
    }
}

fn taken_as_it_is(flows: Flows, mirror: &Mirror) -> Result<Record, StoreError> {
    Ok(Record {
        number: 1,
        version: StoredVersion {
            rev: flows.rev(),
            time: crate::engine::Clock::System.now() as u64,
            flows: flows.into(),
        },
        sealed: mirror.newest_set()?,
    })
}

/// Both copies and the key to their credentials.
struct Copies<'a> {
    database: &'a SledVersions,
    mirror: &'a Mirror,
    key: &'a SecretKey,
}

impl Copies<'_> {
    /// Picks the newer copy and brings the other up to date.
    fn agree(
        &self,
        stored: Option<Record>,
        mirrored: Option<Record>,
        notices: &mut Vec<String>,
    ) -> Option<Record> {
        let mirror_wins = match (&stored, &mirrored) {
            (None, None) => return None,
            (Some(stored), Some(mirrored)) if same_version(stored, mirrored) => {
                if stored.sealed == mirrored.sealed {
                    return Some(stored.clone());
                }
                let readable = [self.readable(stored), self.readable(mirrored)];
                if readable == [false, false] {
                    return Some(stored.clone());
                }
                notices.push("The credentials in credentials.json were not those of the database; the copy that can be read was taken, and the other written anew".into());
                !readable[0]
            }
            (Some(stored), Some(mirrored)) => {
                notices.push(format!(
                    "The last deploy was interrupted: the database and flows.json held different versions (of {} and {}). The newer one runs",
                    moment(stored.version.time),
                    moment(mirrored.version.time)
                ));
                let order = |record: &Record| (record.number, record.version.time);
                order(mirrored) > order(stored)
            }
            (stored, _) => stored.is_none(),
        };
        let (winner, loser) = match mirror_wins {
            true => (mirrored?, stored),
            false => (stored?, mirrored),
        };
        let brought_together = match mirror_wins {
            true => self.database.add(&winner, &winner.version.flows.text()),
            false => self.rewrite_mirror(&winner, loser.as_ref()),
        };
        if let Err(error) = brought_together {
            notices.push(format!(
                "The two copies of the flows could not be brought together. {error}"
            ));
        }
        Some(winner)
    }

    fn rewrite_mirror(&self, winner: &Record, loser: Option<&Record>) -> Result<(), StoreError> {
        let before = loser.filter(|loser| !same_version(winner, loser));
        let flows = self.mirror.stage_flows(&winner.version.flows)?;
        self.mirror.stage(flows, winner, before)?.commit()
    }

    fn readable(&self, record: &Record) -> bool {
        match &record.sealed {
            Some(sealed) => self.key.open_sealed(sealed).is_ok(),
            None => !self.mirror.misses_credentials(record),
        }
    }

    /// Decrypts. What can't be decrypted is set aside, and the flows run without credentials.
    fn read_credentials(
        &self,
        newest: Option<&mut Record>,
        notices: &mut Vec<String>,
    ) -> Credentials {
        let Some(record) = newest else {
            return Credentials::default();
        };
        let reason = match &record.sealed {
            Some(sealed) => match self.key.open_sealed(sealed) {
                Ok(credentials) => return credentials,
                Err(error) => error.to_string(),
            },
            None if self.mirror.misses_credentials(record) => "it is damaged".to_owned(),
            None => return Credentials::default(),
        };
        let path = self.mirror.credentials_path();
        let place = match path.exists().then(|| set_aside(path, "unreadable")) {
            Some(Ok(aside)) => format!(" and was set aside as {}", aside.display()),
            _ => String::new(),
        };
        notices.push(format!(
            "credentials.json can't be read ({reason}){place}. The flows run without credentials: put the right key file back, or enter them again"
        ));
        // Not to be taken over by the next deploy, which could not read it either.
        record.sealed = None;
        Credentials::default()
    }
}

fn same_version(one: &Record, other: &Record) -> bool {
    one.number == other.number && one.version.rev == other.version.rev
}

fn moment(time: u64) -> String {
    let moment = chrono::DateTime::from_timestamp_millis(time as i64);
    moment.map_or_else(
        || time.to_string(),
        |moment| {
            let local = moment.with_timezone(&chrono::Local);
            local.format("%Y-%m-%d %H:%M:%S").to_string()
        },
    )
}
