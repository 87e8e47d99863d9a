//! What a watch node watches: changes are gathered for a moment, and each file is told once.

use std::{
    collections::HashSet,
    fs::Metadata,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use indexmap::IndexSet;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    engine::NodeContext,
    message::{ErrorValue, Message},
    nodes::shared::files::FileError,
};

/// How long changes are gathered.
const GATHERED: Duration = Duration::from_millis(200);
/// Names that are gathered at most; when more files change at once, some are not told.
const MAX_NAMES: usize = 10_000;

/// An entry of the node's list.
struct Root {
    /// As the settings name it; names in messages begin with it.
    given: PathBuf,
    absolute: PathBuf,
    is_file: bool,
    recursive: bool,
}

impl Root {
    /// The name in a message for a path that changed, if this entry covers it.
    fn name(&self, changed: &Path) -> Option<String> {
        let name = if self.is_file {
            (changed == self.absolute).then(|| self.given.clone())?
        } else {
            let inside = changed.strip_prefix(&self.absolute).ok()?;
            if !self.recursive && inside.components().count() > 1 {
                return None;
            }
            self.given.join(inside)
        };
        Some(joined(&name).to_string_lossy().into_owned())
    }
}

/// The path as `path.join` of Node.js writes it: without `.` and, where it can be told, `..`.
fn joined(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[derive(Default)]
struct Gathered {
    names: IndexSet<String>,
    /// A name came twice, which tells an editor that saves over a temporary file.
    is_repeated: bool,
    errors: Vec<ErrorValue>,
}

/// What the thread of the watcher and the node share.
#[derive(Default)]
struct Changes {
    roots: Mutex<Vec<Root>>,
    gathered: Mutex<Gathered>,
    any: Notify,
}

/// The watcher of a node; dropping it ends the watching.
pub(super) struct Watched {
    topic: String,
    watcher: Option<RecommendedWatcher>,
    changes: Arc<Changes>,
}

impl Watched {
    pub(super) fn new(topic: String) -> Self {
        Self {
            topic,
            watcher: None,
            changes: Arc::default(),
        }
    }

    /// Watches these files and folders. Returns what is wrong with some of them; the others are watched.
    pub(super) fn add_all(&mut self, files: &[String], recursive: bool) -> Vec<ErrorValue> {
        let unique: IndexSet<&String> = files.iter().collect();
        let results = unique.into_iter().map(|file| self.add(file, recursive));
        results.filter_map(Result::err).collect()
    }

    fn add(&mut self, file: &str, recursive: bool) -> Result<(), ErrorValue> {
        let given = PathBuf::from(file);
        let Ok(meta) = std::fs::metadata(&given) else {
            return Err(ErrorValue {
                name: "Error".into(),
                message: format!("{file} does not exist.").into(),
                ..ErrorValue::default()
            });
        };
        if !meta.is_file() && !meta.is_dir() {
            return Ok(());
        }
        let absolute = std::path::absolute(&given).map_err(told(&given))?;
        // A file may be taken away and come again: the folder around it knows.
        let (place, mode) = match absolute.parent() {
            Some(parent) if meta.is_file() => (parent.to_owned(), RecursiveMode::NonRecursive),
            _ if recursive => (absolute.clone(), RecursiveMode::Recursive),
            _ => (absolute.clone(), RecursiveMode::NonRecursive),
        };
        self.changes.roots.lock().push(Root {
            given: given.clone(),
            absolute,
            is_file: meta.is_file(),
            recursive,
        });
        let changes = self.changes.clone();
        let watcher = match &mut self.watcher {
            Some(watcher) => watcher,
            none => none.insert(
                notify::recommended_watcher(move |event| changes.take(event))
                    .map_err(|error| from_notify(error, &given))?,
            ),
        };
        watcher
            .watch(&place, mode)
            .map_err(|error| from_notify(error, &given))
    }
}

fn told(path: &Path) -> impl FnOnce(std::io::Error) -> ErrorValue {
    let error = FileError::at("watch", path);
    move |io| error(io).to_error()
}

fn from_notify(error: notify::Error, path: &Path) -> ErrorValue {
    let io = match error.kind {
        notify::ErrorKind::Io(io) => io,
        notify::ErrorKind::MaxFilesWatch => std::io::ErrorKind::StorageFull.into(),
        other => std::io::Error::other(format!("{other:?}")),
    };
    told(path)(io)
}

impl Changes {
    /// Called from the watcher's own thread.
    fn take(&self, event: notify::Result<notify::Event>) {
        let mut gathered = self.gathered.lock();
        match event {
            Err(error) => {
                let path = error.paths.first().cloned().unwrap_or_default();
                if gathered.errors.len() < MAX_NAMES {
                    gathered.errors.push(from_notify(error, &path));
                }
            }
            Ok(event) if matches!(event.kind, EventKind::Access(_)) => return,
            Ok(event) => {
                let roots = self.roots.lock();
                for path in event.paths {
                    for name in roots.iter().filter_map(|root| root.name(&path)) {
                        if gathered.names.len() < MAX_NAMES {
                            gathered.is_repeated |= !gathered.names.insert(name);
                        }
                    }
                }
            }
        }
        if !gathered.names.is_empty() || !gathered.errors.is_empty() {
            self.any.notify_one();
        }
    }
}

/// Sends a message for each change, as long as the node lives.
pub(super) async fn tell_changes(
    watched: Watched,
    ctx: &NodeContext,
    report: fn(&NodeContext, ErrorValue),
) {
    loop {
        watched.changes.any.notified().await;
        tokio::time::sleep(GATHERED).await;
        let gathered = std::mem::take(&mut *watched.changes.gathered.lock());
        for error in gathered.errors {
            report(ctx, error);
        }
        let looked =
            tokio::task::spawn_blocking(move || look(gathered.names, gathered.is_repeated));
        for (name, meta) in looked.await.unwrap_or_default() {
            ctx.ready().await;
            ctx.send(message(&watched.topic, &name, meta.as_ref()));
        }
    }
}

/// What the names are now. Editors save into a file `name~` first: one that is gone again is not told.
fn look(names: IndexSet<String>, is_repeated: bool) -> Vec<(String, Option<Metadata>)> {
    let temporary = |name: &String| name.ends_with('~');
    let plain: HashSet<&str> = names
        .iter()
        .map(|name| name.trim_end_matches('~'))
        .collect();
    let is_saved = names.iter().any(temporary) && (is_repeated || plain.len() < names.len());
    let looked = names.into_iter().map(|name| {
        let meta = std::fs::metadata(&name).ok();
        (name, meta)
    });
    looked
        .filter(|(_, meta)| !is_saved || meta.is_some())
        .collect()
}

fn message(topic: &str, name: &str, meta: Option<&Metadata>) -> Message {
    let file = Path::new(name)
        .file_name()
        .map(|file| file.to_string_lossy());
    let mut msg = Message::with_payload(name);
    msg.set("topic", topic);
    msg.set("file", file.unwrap_or_default().into_owned());
    msg.set("filename", name);
    msg.set("event", if meta.is_some() { "update" } else { "remove" });
    if let Some(meta) = meta.filter(|meta| meta.is_file()) {
        msg.set("size", meta.len() as f64);
    }
    msg.set("type", meta.map_or("none", kind));
    msg
}

fn kind(meta: &Metadata) -> &'static str {
    if meta.is_file() {
        return "file";
    }
    if meta.is_dir() {
        return "directory";
    }
    special_kind(meta)
}

#[cfg(unix)]
fn special_kind(meta: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    let kind = meta.file_type();
    if kind.is_block_device() {
        "blockdevice"
    } else if kind.is_char_device() {
        "characterdevice"
    } else if kind.is_socket() {
        "socket"
    } else if kind.is_fifo() {
        "fifo"
    } else {
        "n/a"
    }
}

#[cfg(not(unix))]
fn special_kind(_meta: &Metadata) -> &'static str {
    "n/a"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_as_the_settings_have_them() {
        let root = |given: &str, absolute: &str, is_file, recursive| Root {
            given: given.into(),
            absolute: absolute.into(),
            is_file,
            recursive,
        };
        let folder = root("./data", "/x/data", false, false);
        assert_eq!(
            folder.name(Path::new("/x/data/a.txt")).unwrap(),
            "data/a.txt"
        );
        assert_eq!(folder.name(Path::new("/x/data/b/a.txt")), None);
        assert_eq!(folder.name(Path::new("/x/other")), None);
        let deep = root("/x/data", "/x/data", false, true);
        assert_eq!(
            deep.name(Path::new("/x/data/b/a.txt")).unwrap(),
            "/x/data/b/a.txt"
        );
        let file = root("a.txt", "/x/a.txt", true, false);
        assert_eq!(file.name(Path::new("/x/a.txt")).unwrap(), "a.txt");
        assert_eq!(file.name(Path::new("/x/b.txt")), None);
    }
}
