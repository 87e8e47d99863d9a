//! The data folder: made when it is missing, held by one instance, of a known format.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::file::{private, read_whole, write_whole};

/// The format of the data folder that this version reads and writes.
const FORMAT: u32 = 1;

/// A data folder that this process holds until it is dropped.
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// Why a data folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("The data folder {} can't be {action}: {reason}. Choose another one with --data", .path.display())]
    Unusable {
        path: PathBuf,
        /// "made", "read" or "written".
        action: &'static str,
        reason: String,
    },
    #[error("The data folder {} is in use by another Flowrill{holder}. Stop that one, or choose another folder with --data", .path.display())]
    InUse {
        path: PathBuf,
        /// " (process 123)", or nothing when it is not known.
        holder: String,
    },
    #[error("The data folder {} has format {found}, and this Flowrill knows formats up to {FORMAT}. Use the newer Flowrill that wrote it, or choose another folder with --data", .path.display())]
    Newer { path: PathBuf, found: String },
}

impl DataFolder {
    /// Makes the folder if it is missing, and takes hold of it.
    ///
    /// # Errors
    /// [`FolderError`], each with the option to change.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let unusable = |action: &'static str| {
            let path = path.to_owned();
            move |error: io::Error| FolderError::Unusable {
                path,
                action,
                reason: plain(&error),
            }
        };
        Self::make(path).map_err(unusable("made"))?;
        fs::read_dir(path).map_err(unusable("read"))?;

        let lock_path = path.join("lock");
        let mut lock = private()
            .read(true)
            .open(&lock_path)
            .map_err(unusable("written"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&lock_path).unwrap_or_default();
                let holder = holder
                    .trim()
                    .parse()
                    .map(|pid: u32| format!(" (process {pid})"));
                return Err(FolderError::InUse {
                    path: path.to_owned(),
                    holder: holder.unwrap_or_default(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(unusable("written")(error)),
        }
        lock.set_len(0)
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(unusable("written"))?;
        let folder = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        folder.check_format()?;
        Ok(folder)
    }

    /// Makes the folder if it is missing, for its owner only.
    ///
    /// # Errors
    /// It can't be made.
    pub fn make(path: &Path) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn check_format(&self) -> Result<(), FolderError> {
        let path = self.path.join("format");
        let unusable = |action: &'static str, reason: String| FolderError::Unusable {
            path: self.path.clone(),
            action,
            reason,
        };
        let found = read_whole(&path).map_err(|error| unusable("read", error.to_string()))?;
        let found = String::from_utf8_lossy(&found.unwrap_or_default())
            .trim()
            .to_owned();
        match found.parse::<u32>() {
            Ok(format) if format <= FORMAT => Ok(()),
            Ok(_) => Err(FolderError::Newer {
                path: self.path.clone(),
                found,
            }),
            // Missing, or cut short by a crash at the very first start.
            Err(_) if found.is_empty() => write_whole(&path, format!("{FORMAT}\n").as_bytes())
                .map_err(|error| unusable("written", error.to_string())),
            Err(_) => Err(FolderError::Newer {
                path: self.path.clone(),
                found,
            }),
        }
    }
}

/// The operating system's words without its error number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
