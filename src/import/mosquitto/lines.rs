//! The lines of `mosquitto.conf` and of the files that it includes, in the order in which Mosquitto reads them.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use super::ImportError;

/// One setting.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) place: Place,
    pub(super) name: String,
    pub(super) value: String,
}

/// Where something stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, line {}", self.file.display(), self.line)
    }
}

impl Place {
    pub(super) fn error(&self, reason: &str) -> ImportError {
        ImportError(format!("{self}: {reason}"))
    }
}

/// Reads a text file.
pub(super) fn text(file: &Path) -> Result<String, ImportError> {
    fs::read_to_string(file).map_err(|error| {
        ImportError(format!(
            "The file {} can't be read: {error}",
            file.display()
        ))
    })
}

/// All lines of a file and of the folders that it includes.
pub(super) fn read(file: &Path) -> Result<Vec<Line>, ImportError> {
    let mut lines = Vec::new();
    add(file, &mut lines, true)?;
    Ok(lines)
}

fn add(file: &Path, lines: &mut Vec<Line>, may_include: bool) -> Result<(), ImportError> {
    for (number, line) in text(file)?.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let place = Place {
            file: file.to_owned(),
            line: number + 1,
        };
        if name == "include_dir" {
            if !may_include {
                return Err(place.error("a file that is included can't include others"));
            }
            include(Path::new(value.trim()), &place, lines)?;
            continue;
        }
        lines.push(Line {
            place,
            name: name.to_owned(),
            value: value.trim().to_owned(),
        });
    }
    Ok(())
}

/// The files whose names end in `.conf`, in the order of the C locale.
fn include(folder: &Path, place: &Place, lines: &mut Vec<Line>) -> Result<(), ImportError> {
    let failed = |error: std::io::Error| {
        place.error(&format!(
            "the folder {} can't be read: {error}",
            folder.display()
        ))
    };
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "conf")
        {
            files.push(path);
        }
    }
    files.sort();
    files.iter().try_for_each(|file| add(file, lines, false))
}
