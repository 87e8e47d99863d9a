//! Node types of the user's own: folders as in `nodes/`, with a `node.js`.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Catalog, CatalogError, NodeType, read};

/// The file that handles the messages.
pub(super) const CODE: &str = "node.js";

const MANIFEST: &str = "manifest.json";
/// The other files that count, besides `texts/….json`.
const OTHERS: [&str; 3] = ["help.md", "examples.json", "icon.svg"];
/// Nobody writes a bigger one by hand.
const MAX_BYTES: u64 = 1 << 20;
/// Types that flow files use for something else.
const RESERVED: [&str; 4] = ["tab", "group", "subflow", "helper"];

/// Why a folder gives no node type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The node folder {} is left out: {reason}", .folder.display())]
pub struct OwnError {
    pub folder: PathBuf,
    pub reason: String,
}

impl Catalog {
    /// Adds the node types in `folder`: it is one itself, or holds one in each folder within it. `check` says what is wrong
    /// with the code of one. Those that can't be used are left out.
    ///
    /// # Errors
    /// One for each that is left out.
    pub fn add_own(
        &mut self,
        folder: &Path,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<(), Vec<OwnError>> {
        let mut errors = Vec::new();
        let folders = match folders(folder) {
            Ok(folders) => folders,
            Err(reason) => {
                let reason = format!("it can't be read ({reason}). Name a folder that is there");
                return Err(vec![OwnError {
                    folder: folder.to_owned(),
                    reason,
                }]);
            }
        };
        for folder in folders {
            if let Err(reason) = self.add_one(&folder, check) {
                errors.push(OwnError { folder, reason });
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    fn add_one(
        &mut self,
        folder: &Path,
        check: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        let files = Arc::new(files(folder)?);
        let node_type = self.read_own(files)?;
        let name = &node_type.manifest.type_name;
        match self.types.get(name) {
            Some(known) if known.files.is_none() => {
                return Err(format!(
                    "\"{name}\" is a built-in node type. Choose another \"type\" in {MANIFEST}"
                ));
            }
            Some(_) => {
                return Err(format!(
                    "another folder has the type \"{name}\" already. Choose another \"type\" in {MANIFEST}, or remove one of them"
                ));
            }
            None => {}
        }
        check(node_type.code().unwrap_or_default())
            .map_err(|reason| format!("{CODE}: {reason}. Correct it and start Flowrill again"))?;
        self.types.insert(name.clone(), node_type);
        Ok(())
    }

    fn read_own(&self, files: Arc<BTreeMap<String, String>>) -> Result<NodeType, String> {
        let mut node_type = read("", &self.lang, &|file| files.get(file).cloned()).map_err(
            |CatalogError { file, reason, .. }| {
                format!("{file}: {reason}. docs/own-nodes.md shows what it may hold")
            },
        )?;
        let name = &node_type.manifest.type_name;
        if name.trim().is_empty() || name.starts_with("subflow:") || RESERVED.contains(&&**name) {
            return Err(format!(
                "{MANIFEST}: \"{name}\" can't be the \"type\" of a node. Choose another one"
            ));
        }
        node_type.files = Some(files);
        // What the API of functions says.
        if let Some(function) = self.types.get("function") {
            node_type.texts.add_messages(&function.texts);
        }
        Ok(node_type)
    }

    /// The same types with texts in another language.
    ///
    /// # Errors
    /// As for [`Catalog::builtin`].
    pub fn translated(&self, lang: &str) -> Result<Self, CatalogError> {
        let mut translated = Self::builtin(lang)?;
        let own = self.types.values().filter_map(|known| known.files.clone());
        for files in own {
            if let Ok(node_type) = translated.read_own(files) {
                let name = node_type.manifest.type_name.clone();
                translated.types.insert(name, node_type);
            }
        }
        Ok(translated)
    }
}

/// The node folders at a place, by name.
fn folders(place: &Path) -> io::Result<Vec<PathBuf>> {
    if place.join(MANIFEST).is_file() || place.join(CODE).is_file() {
        return Ok(vec![place.to_owned()]);
    }
    let mut folders = Vec::new();
    for entry in fs::read_dir(place)? {
        let path = entry?.path();
        if path.join(MANIFEST).is_file() || path.join(CODE).is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// The files of a node folder that count.
fn files(folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut files = BTreeMap::new();
    for (name, needed) in [(MANIFEST, true), (CODE, true)]
        .into_iter()
        .chain(OTHERS.into_iter().map(|name| (name, false)))
    {
        match text(&folder.join(name)) {
            Ok(text) => drop(files.insert(name.to_owned(), text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !needed => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(format!(
                    "it has no {name}. Write one, as docs/own-nodes.md shows"
                ));
            }
            Err(error) => return Err(format!("{name} can't be read: {error}")),
        }
    }
    let texts = folder.join("texts");
    for entry in fs::read_dir(&texts).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".json") {
            let text = text(&entry.path())
                .map_err(|error| format!("texts/{name} can't be read: {error}"))?;
            files.insert(format!("texts/{name}"), text);
        }
    }
    Ok(files)
}

fn text(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > MAX_BYTES {
        return Err(io::Error::other("it is larger than 1 MB"));
    }
    let text = fs::read_to_string(path)?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}
