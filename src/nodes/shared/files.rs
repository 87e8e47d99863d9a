//! What the nodes that read and write files share: names, places, and errors as Node.js tells them.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use crate::{
    engine::{NodeContext, NodeError},
    message::{ErrorValue, Kind, Message, Object, TypedInput, Value},
    nodes::shared::property::MessageProperty,
};

/// The file name of a node's settings.
pub(in crate::nodes) struct FileName {
    source: Source,
    /// Whether the same file is meant for every message.
    pub(in crate::nodes) is_fixed: bool,
    /// The settings name none, so the status shows the one that is used.
    pub(in crate::nodes) is_empty: bool,
}

/// Where the name is.
enum Source {
    Message(MessageProperty),
    Other(Result<TypedInput, ErrorValue>),
}

impl FileName {
    /// Before version 3 of Node-RED there was no type: a name was itself, and without one `msg.filename` was used.
    pub(in crate::nodes) fn new(name: &str, kind: &str) -> Self {
        let (name, kind) = match (name, kind) {
            ("", "") => ("filename", "msg"),
            (name, "") => (name, "str"),
            given => given,
        };
        Self {
            source: match Kind::from_name(kind) {
                Kind::Message if name.is_empty() => Source::Other(Err(no_path())),
                Kind::Message => Source::Message(MessageProperty::new(name.to_owned())),
                kind => Source::Other(TypedInput::parse(name, kind)),
            },
            is_fixed: matches!(kind, "str" | "env"),
            is_empty: name.is_empty(),
        }
    }

    /// The name for a message; "" for none.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub(in crate::nodes) fn of(
        &self,
        msg: &Message,
        ctx: &NodeContext,
    ) -> Result<String, NodeError> {
        let value = match &self.source {
            Source::Message(property) => property.get(msg)?,
            Source::Other(Ok(input)) => ctx.evaluate(input, msg)?,
            Source::Other(Err(error)) => return Err(error.clone().into()),
        };
        Ok(match value {
            Value::Undefined | Value::Null => String::new(),
            value => value.to_text(),
        })
    }
}

/// What Node-RED says of a path to a property that is none.
fn no_path() -> ErrorValue {
    ErrorValue::named("Error", "Invalid property expression: zero-length").with_code("INVALID_EXPR")
}

/// Where the file is: relative names begin at the setting `fileWorkingDirectory`, else at the working folder of the process.
pub(in crate::nodes) fn full_path(name: &str, ctx: &NodeContext) -> PathBuf {
    let settings = ctx.settings();
    let folder = settings.others.get("fileWorkingDirectory");
    match folder.and_then(Value::as_str) {
        Some(folder) if !folder.is_empty() && !Path::new(name).is_absolute() => {
            let joined = Path::new(folder).join(name);
            normal(&std::path::absolute(&joined).unwrap_or(joined))
        }
        _ => PathBuf::from(name),
    }
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

/// An error of a file operation, and which operation it was.
#[derive(Debug)]
pub(in crate::nodes) struct FileError {
    error: io::Error,
    call: &'static str,
    path: Option<PathBuf>,
}

impl FileError {
    /// An operation that names a path.
    pub(in crate::nodes) fn at(call: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| Self {
            error,
            call,
            path: Some(path.to_owned()),
        }
    }

    /// An operation on an open file.
    pub(in crate::nodes) fn of(call: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self {
            error,
            call,
            path: None,
        }
    }

    /// As Node.js writes it: `ENOENT: no such file or directory, open 'x'`, with `code`, `errno`, `syscall` and `path`.
    pub(in crate::nodes) fn to_error(&self) -> ErrorValue {
        let path = self.path.as_ref().map(|path| path.to_string_lossy());
        if let Some(path) = path.as_ref().filter(|path| path.contains('\0')) {
            return null_byte(path);
        }
        let (code, text) = described(&self.error);
        let mut message = format!("{code}: {text}, {}", self.call);
        let mut properties = Object::new();
        if let Some(number) = self.error.raw_os_error() {
            properties.insert("errno", (-number).into());
        }
        properties.insert("code", code.into());
        properties.insert("syscall", self.call.into());
        if let Some(path) = path {
            message = format!("{message} '{path}'");
            properties.insert("path", path.into_owned().into());
        }
        ErrorValue {
            name: "Error".into(),
            stack: Some(format!("Error: {message}").into()),
            message: message.into(),
            properties,
        }
    }
}

/// What Node.js says to a path with a zero byte in it.
fn null_byte(path: &str) -> ErrorValue {
    let shown = path.replace('\0', "\\x00");
    let mut properties = Object::new();
    properties.insert("code", "ERR_INVALID_ARG_VALUE".into());
    ErrorValue {
        name: "TypeError".into(),
        message: format!(
            "The argument 'path' must be a string, Uint8Array, or URL without null bytes. Received '{shown}'"
        )
        .into(),
        stack: None,
        properties,
    }
}

/// Code and sentence of libuv, on which Node.js stands.
fn described(error: &io::Error) -> (&'static str, String) {
    use io::ErrorKind as Kind;
    // Those for which the standard library has no name of its own.
    let by_number = match error.raw_os_error() {
        Some(1) => Some(("EPERM", "operation not permitted")),
        Some(5) => Some(("EIO", "i/o error")),
        Some(6) => Some(("ENXIO", "no such device or address")),
        Some(23) => Some(("ENFILE", "file table overflow")),
        Some(24) => Some(("EMFILE", "too many open files")),
        Some(40) => Some(("ELOOP", "too many symbolic links encountered")),
        _ => None,
    };
    if let (true, Some((code, text))) = (cfg!(target_os = "linux"), by_number) {
        return (code, text.into());
    }
    let (code, text) = match error.kind() {
        Kind::NotFound => ("ENOENT", "no such file or directory"),
        Kind::PermissionDenied => ("EACCES", "permission denied"),
        Kind::IsADirectory => ("EISDIR", "illegal operation on a directory"),
        Kind::NotADirectory => ("ENOTDIR", "not a directory"),
        Kind::AlreadyExists => ("EEXIST", "file already exists"),
        Kind::DirectoryNotEmpty => ("ENOTEMPTY", "directory not empty"),
        Kind::StorageFull => ("ENOSPC", "no space left on device"),
        Kind::QuotaExceeded => ("EDQUOT", "disk quota exceeded"),
        Kind::ReadOnlyFilesystem => ("EROFS", "read-only file system"),
        Kind::FileTooLarge => ("EFBIG", "file too large"),
        Kind::ResourceBusy => ("EBUSY", "resource busy or locked"),
        Kind::ExecutableFileBusy => ("ETXTBSY", "text file is busy"),
        Kind::InvalidFilename => ("ENAMETOOLONG", "name too long"),
        Kind::InvalidInput => ("EINVAL", "invalid argument"),
        Kind::BrokenPipe => ("EPIPE", "broken pipe"),
        _ => return ("UNKNOWN", error.to_string()),
    };
    (code, text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_as_those_of_node_js() {
        let open = std::fs::File::open("/no/such/file").unwrap_err();
        let error = FileError::at("open", Path::new("/no/such/file"))(open).to_error();
        assert_eq!(
            error.text(),
            "Error: ENOENT: no such file or directory, open '/no/such/file'"
        );
        assert_eq!(error.properties.get("code"), Some(&"ENOENT".into()));
        assert_eq!(error.properties.get("errno"), Some(&(-2).into()));
        assert_eq!(error.properties.get("syscall"), Some(&"open".into()));

        let read = std::fs::read(std::env::temp_dir()).unwrap_err();
        let error = FileError::of("read")(read).to_error();
        assert_eq!(
            error.text(),
            "Error: EISDIR: illegal operation on a directory, read"
        );
    }

    #[test]
    fn a_path_is_made_plain() {
        assert_eq!(normal(Path::new("/a/./b/../c")), Path::new("/a/c"));
        assert_eq!(normal(Path::new("/../a")), Path::new("/a"));
    }
}
