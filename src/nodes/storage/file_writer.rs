//! Writes the messages of a file node, one after the other, away from its flow.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::mpsc::UnboundedReceiver;

use super::file::{Action, Settings};
use crate::{
    engine::{Busy, LogLevel, NodeContext, NodeError, Status},
    message::{ErrorValue, Message, Value, stringify},
    nodes::shared::{
        encoding::TextEncoding,
        files::{FileError, full_path},
    },
};

/// A message that waits, counted.
pub(super) type Waiting = (Message, Busy);

const END_OF_LINE: &str = if cfg!(windows) { "\r\n" } else { "\n" };
/// A name that changes with each message is shown at most this often.
const NAME_SHOWN_AFTER: Duration = Duration::from_millis(333);

/// The end of a message's way through the node.
enum Outcome {
    /// It is sent on.
    Sent,
    /// Nothing is sent.
    Dropped,
    /// An error that Node-RED reports without ending the message.
    Broken,
}

/// A file that stays open between messages.
struct Kept {
    file: File,
    id: Option<FileId>,
}

/// Tells a file from another one that took its name since.
type FileId = (u64, u64);

pub(super) struct Writer {
    settings: Settings,
    ctx: NodeContext,
    kept: Option<Kept>,
    shows_name: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn new(settings: Settings, ctx: NodeContext) -> Self {
        Self {
            settings,
            ctx,
            kept: None,
            shows_name: Arc::default(),
        }
    }

    /// Works until no message can come any more.
    pub(super) async fn run(mut self, mut messages: UnboundedReceiver<Waiting>) {
        while let Some((mut msg, _counted)) = messages.recv().await {
            let outcome = self.write(&mut msg).await;
            let completion = self.ctx.completion(&msg);
            match outcome {
                Outcome::Sent => self.ctx.send(msg),
                Outcome::Dropped => {}
                Outcome::Broken => continue,
            }
            completion.done();
        }
    }

    async fn write(&mut self, msg: &mut Message) -> Outcome {
        let name = match self.settings.name.of(msg, &self.ctx) {
            Ok(name) => name,
            Err(error) => {
                self.ctx.error(error, Some(msg));
                return Outcome::Dropped;
            }
        };
        msg.set("filename", name.as_str());
        if self.settings.name.is_empty {
            self.show_name(&name);
        }
        if name.is_empty() {
            self.ctx.warn(self.ctx.text("file.errors.nofilename", &[]));
            return Outcome::Dropped;
        }
        let path = full_path(&name, &self.ctx);
        if self.settings.action == Action::Delete {
            return self.delete(&name, path, msg).await;
        }
        if msg.payload().is_undefined() {
            return Outcome::Dropped;
        }
        if self.settings.create_folder
            && let Err(error) = blocking(path.clone(), |path| create_folder(&path)).await
        {
            return self.fail("file.errors.createfail", &error, msg);
        }
        let bytes = match self.bytes(msg) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.ctx.error(error, Some(msg));
                return Outcome::Broken;
            }
        };
        if self.settings.action == Action::Overwrite {
            return match blocking(path, move |path| overwrite(&path, &bytes)).await {
                Ok(()) => Outcome::Sent,
                Err(error) => self.fail("file.errors.writefail", &error, msg),
            };
        }
        let (kept, keep) = (self.kept.take(), self.settings.name.is_fixed);
        match blocking(path, move |path| append(&path, &bytes, kept)).await {
            Ok(file) => {
                self.kept = keep.then_some(file);
                Outcome::Sent
            }
            Err(error) => self.fail("file.errors.appendfail", &error, msg),
        }
    }

    async fn delete(&self, name: &str, path: PathBuf, msg: &Message) -> Outcome {
        let deleted = blocking(path, |path| {
            fs::remove_file(&path).map_err(FileError::at("unlink", &path))
        });
        match deleted.await {
            Ok(()) => {
                let text = self.ctx.text("file.status.deletedfile", &[("file", name)]);
                self.ctx.log(LogLevel::Debug, text);
                Outcome::Sent
            }
            Err(error) => self.fail("file.errors.deletefail", &error, msg),
        }
    }

    fn fail(&self, key: &str, error: &FileError, msg: &Message) -> Outcome {
        let reason = error.to_error().text();
        self.ctx
            .error(self.ctx.text(key, &[("error", &reason)]), Some(msg));
        Outcome::Dropped
    }

    /// What of the message goes into the file.
    fn bytes(&self, msg: &Message) -> Result<Vec<u8>, NodeError> {
        let encoding = match self.settings.encoding.as_str() {
            "setbymsg" => match msg.get("encoding") {
                given if given.is_truthy() => given.to_text(),
                _ => "none".into(),
            },
            fixed => fixed.to_owned(),
        };
        let encoding = TextEncoding::named(&encoding).map_err(|text| thrown("Error", text))?;
        let mut text = match msg.payload() {
            Value::Bytes(bytes) if matches!(encoding, TextEncoding::Plain) => {
                return Ok(bytes.to_vec());
            }
            Value::Bytes(bytes) => return Ok(encoding.encode(&String::from_utf8_lossy(bytes))),
            payload if payload.type_of() == "object" => stringify(payload)
                .map_err(|text| thrown("TypeError", text))?
                .unwrap_or_default(),
            payload => payload.to_text(),
        };
        if self.settings.append_newline && !ends_sequence(msg) {
            text.push_str(END_OF_LINE);
        }
        Ok(encoding.encode(&text))
    }

    fn show_name(&self, name: &str) {
        if self.shows_name.swap(true, Ordering::AcqRel) {
            return;
        }
        let (ctx, name, shows) = (self.ctx.clone(), name.to_owned(), self.shows_name.clone());
        self.ctx.spawn_service(async move {
            tokio::time::sleep(NAME_SHOWN_AFTER).await;
            ctx.status(Status::new("grey", "dot", name));
            shows.store(false, Ordering::Release);
        });
    }
}

/// Whether this is the last part of a text that was split: it gets no further line end.
fn ends_sequence(msg: &Message) -> bool {
    let Some(parts) = msg.get("parts").as_object() else {
        return false;
    };
    let number = |key| parts.get(key).and_then(Value::as_number);
    parts.get("type").and_then(Value::as_str) == Some("string")
        && number("count").is_some_and(|count| number("index") == Some(count - 1.0))
}

fn thrown(name: &str, message: String) -> NodeError {
    ErrorValue {
        name: name.into(),
        message: message.into(),
        ..ErrorValue::default()
    }
    .into()
}

/// Runs a file operation where it may wait.
async fn blocking<T: Send + 'static>(
    path: PathBuf,
    operation: impl FnOnce(PathBuf) -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    let done = tokio::task::spawn_blocking(move || operation(path)).await;
    // It fails only when the program ends.
    done.unwrap_or_else(|error| Err(FileError::of("write")(io::Error::other(error))))
}

fn create_folder(path: &Path) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => return Ok(()),
    };
    fs::create_dir_all(folder).map_err(FileError::at("mkdir", folder))
}

fn overwrite(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut file = File::create(path).map_err(FileError::at("open", path))?;
    file.write_all(bytes).map_err(FileError::of("write"))
}

/// Appends to the open file, unless another one has its name now.
fn append(path: &Path, bytes: &[u8], kept: Option<Kept>) -> Result<Kept, FileError> {
    let still = kept.filter(|kept| {
        kept.id.is_none() || fs::metadata(path).is_ok_and(|now| file_id(&now) == kept.id)
    });
    let mut kept = match still {
        Some(kept) => kept,
        None => {
            let mut options = OpenOptions::new();
            let opened = options.append(true).create(true).open(path);
            let file = opened.map_err(FileError::at("open", path))?;
            let id = file.metadata().ok().and_then(|meta| file_id(&meta));
            Kept { file, id }
        }
    };
    kept.file.write_all(bytes).map_err(FileError::of("write"))?;
    Ok(kept)
}

#[cfg(unix)]
fn file_id(meta: &fs::Metadata) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt as _;
    Some((meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn file_id(_meta: &fs::Metadata) -> Option<FileId> {
    None
}
