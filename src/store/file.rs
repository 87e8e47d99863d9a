//! Files that are whole or not there: written beside their place, made durable, then renamed.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::StoreError;

/// A file that is written and durable under a temporary name, and takes its place with [`Staged::commit`].
/// Dropped without that, it goes away again.
pub(super) struct Staged {
    temporary: PathBuf,
    target: PathBuf,
    committed: bool,
}

impl Staged {
    /// Writes `bytes` beside `target`, readable for the owner only.
    ///
    /// # Errors
    /// When it can't be written; nothing is left behind then.
    pub(super) fn write(target: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        let mut name = std::ffi::OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(".new");
        let staged = Self {
            temporary: target.with_file_name(name),
            target: target.to_owned(),
            committed: false,
        };
        staged.fill(bytes).map_err(written(target))?;
        Ok(staged)
    }

    fn fill(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = private().truncate(true).open(&self.temporary)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Puts the file in its place. Durable after [`sync_folder`].
    ///
    /// # Errors
    /// When it can't be renamed; the file before is still there then.
    pub(super) fn commit(mut self) -> Result<(), StoreError> {
        std::fs::rename(&self.temporary, &self.target).map_err(written(&self.target))?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.committed {
            // What can't be removed is overwritten by the next write.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// Writes a file at once: staged, renamed, and durable when this returns.
///
/// # Errors
/// When it can't be written; the file before is still there then.
pub(crate) fn write_whole(target: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    Staged::write(target, bytes)?.commit()?;
    sync_folder(target)
}

/// Makes renames in the folder of `target` durable.
///
/// # Errors
/// When the disk refuses.
pub(super) fn sync_folder(target: &Path) -> Result<(), StoreError> {
    // Only Unix can open a folder for this; elsewhere the rename itself has to do.
    if cfg!(unix)
        && let Some(folder) = target.parent()
    {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(written(folder))?;
    }
    Ok(())
}

/// The whole content of a file; none when there is no such file.
///
/// # Errors
/// When it is there and can't be read.
pub(crate) fn read_whole(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

/// Gives a damaged file or folder another name, so that it is neither read again nor overwritten. The new path.
///
/// # Errors
/// When it can't be renamed.
pub(super) fn set_aside(path: &Path, word: &str) -> Result<PathBuf, StoreError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(
        ".{word}-{}",
        chrono::Local::now().format("%Y%m%d-%H%M%S%.3f")
    ));
    let aside = path.with_file_name(name);
    std::fs::rename(path, &aside).map_err(written(path))?;
    Ok(aside)
}

/// Options to make or overwrite a file that only its owner may read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn written(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io {
        action: "written",
        path,
        source,
    }
}
