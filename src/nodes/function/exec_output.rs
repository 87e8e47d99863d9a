//! What an exec node sends and shows when its process has ended.

use std::io;

use super::exec_process::End;
use crate::{
    engine::{LogLevel, NodeContext, Status},
    message::{Message, Object, Value},
};

/// Output as text where it is readable, else as bytes: UTF-8 without control characters but tab and line ends (the
/// is-utf8 package that Node-RED asks).
pub(super) fn text_or_bytes(bytes: Vec<u8>) -> Value {
    let readable = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    if !bytes.iter().all(readable) {
        return bytes::Bytes::from(bytes).into();
    }
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => bytes::Bytes::from(error.into_bytes()).into(),
    }
}

/// Why a command failed, as Node.js tells it.
struct Failure {
    code: Value,
    message: String,
    signal: Option<&'static str>,
    /// How the error is named in the log.
    name: &'static str,
}

impl Failure {
    fn of(end: &Result<End, io::Error>, line: &str) -> Option<Self> {
        let end = match end {
            Ok(end) => end,
            Err(error) => {
                let code = system_code(error);
                return Some(Self {
                    message: format!("spawn {code}: {error}"),
                    code: code.into(),
                    signal: None,
                    name: "Error",
                });
            }
        };
        if let Some(stream) = end.too_much {
            return Some(Self {
                code: "ERR_CHILD_PROCESS_STDIO_MAXBUFFER".into(),
                message: format!("{} maxBuffer length exceeded", stream.name()),
                signal: None,
                name: "RangeError [ERR_CHILD_PROCESS_STDIO_MAXBUFFER]",
            });
        }
        (end.code != Some(0)).then(|| Self {
            code: end.code.map_or(Value::Null, Value::from),
            message: format!(
                "Command failed: {line}\n{}",
                String::from_utf8_lossy(&end.stderr)
            ),
            signal: end.signal,
            name: "Error",
        })
    }
}

/// The name of a system error, as far as starting a program can cause it.
fn system_code(error: &io::Error) -> String {
    use io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "ENOENT".into(),
        ErrorKind::PermissionDenied => "EACCES".into(),
        ErrorKind::ArgumentListTooLong => "E2BIG".into(),
        ErrorKind::WouldBlock => "EAGAIN".into(),
        ErrorKind::OutOfMemory => "ENOMEM".into(),
        _ => format!("E{}", error.raw_os_error().unwrap_or_default()),
    }
}

/// exec mode: everything at once, at the end. `end` is an error when the shell could not be started.
pub(super) fn ended_collecting(
    mut msg: Message,
    end: Result<End, io::Error>,
    line: &str,
    old_return_code: bool,
    ctx: &NodeContext,
) {
    let failure = Failure::of(&end, line);
    let End { stdout, stderr, .. } = end.unwrap_or_default();
    msg.remove("payload");
    let mut errors = (!stderr.is_empty()).then(|| {
        let mut errors = msg.clone();
        errors.set("payload", text_or_bytes(stderr));
        errors
    });
    msg.set("payload", text_or_bytes(stdout));
    ctx.status(Status::default());
    let mut result = Object::new();
    match failure {
        Some(failure) => {
            let text = match &failure.code {
                Value::Null => "killed".into(),
                code => format!("error:{}", code.to_text()),
            };
            ctx.status(Status::new("red", "dot", text));
            let (name, message) = (failure.name, &failure.message);
            ctx.log(LogLevel::Debug, format!("error:{name}: {message}"));
            result.insert("code", failure.code);
            result.insert("message", failure.message.into());
            if let Some(signal) = failure.signal {
                result.insert("signal", signal.into());
            }
        }
        None if old_return_code => ctx.status(Status::default()),
        None => {
            result.insert("code", 0.into());
        }
    }
    let code = (!result.is_empty()).then(|| {
        let mut code = msg.clone();
        code.set("payload", result.clone());
        msg.set("rc", result.clone());
        if let Some(errors) = &mut errors {
            errors.set("rc", result);
        }
        code
    });
    let list = |msg: Option<Message>| msg.into_iter().collect();
    // Complete nodes get the message as it left.
    let completion = ctx.completion(&msg);
    ctx.send_all(vec![vec![msg], list(errors), list(code)]);
    completion.done();
}

/// spawn mode: only the return code is left to send.
pub(super) fn ended_passing(mut msg: Message, end: &End, old_return_code: bool, ctx: &NodeContext) {
    let code = end.code.map_or(Value::Null, Value::from);
    if old_return_code {
        msg.set("payload", code);
    } else {
        let mut result = Object::new();
        result.insert("code", code);
        if let Some(signal) = end.signal {
            result.insert("signal", signal.into());
        }
        msg.set("payload", result);
    }
    match end.code {
        None => ctx.status(Status::new("red", "dot", "killed")),
        Some(code) if code < 0 => ctx.status(Status::new("red", "dot", format!("rc:{code}"))),
        Some(code) => {
            // Cleared and then shown, as Node-RED does.
            if code == 0 {
                ctx.status(Status::default());
            }
            ctx.status(Status::new("yellow", "dot", format!("rc:{code}")));
        }
    }
    let completion = ctx.completion(&msg);
    ctx.send_to(2, msg);
    completion.done();
}
