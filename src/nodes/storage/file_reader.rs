//! Reads the files of a file in node, one after the other, away from its flow. In lines and pieces it holds one piece at
//! a time, and waits while the flow is busy.

use std::{
    fs::File,
    io::{self, Read as _},
    path::PathBuf,
};

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedReceiver;

use super::file_in::{Format, Settings};
use crate::{
    engine::{Busy, NodeContext, NodeError, Status},
    message::{Message, Object, Value},
    nodes::shared::{
        encoding::TextEncoding,
        files::{FileError, full_path},
    },
};

/// A message that waits, counted.
pub(super) type Waiting = (Message, Busy);

/// What Node.js reads at a time.
const PIECE: usize = 64 * 1024;
/// A file that becomes one value: the longest text of Node.js.
const MAX_WHOLE: usize = 0x1fff_ffe8;

pub(super) struct Reader {
    settings: Settings,
    ctx: NodeContext,
}

impl Reader {
    pub(super) fn new(settings: Settings, ctx: NodeContext) -> Self {
        Self { settings, ctx }
    }

    /// Works until no message can come any more.
    pub(super) async fn run(self, mut messages: UnboundedReceiver<Waiting>) {
        while let Some((mut msg, counted)) = messages.recv().await {
            // A file that makes many messages waits for room itself.
            let _counted = (!self.settings.format.is_many()).then_some(counted);
            match self.named(&mut msg) {
                Ok(Some(path)) => {
                    if let Err(error) = self.read(&mut msg, path).await {
                        self.fail(&error, &msg);
                    }
                }
                Ok(None) => {}
                Err(error) => self.ctx.error(error, Some(&msg)),
            }
            self.ctx.completion(&msg).done();
        }
    }

    /// The file for a message; none if there is no name.
    fn named(&self, msg: &mut Message) -> Result<Option<PathBuf>, NodeError> {
        let name = self.settings.name.of(msg, &self.ctx)?;
        let name = name.replace(['\t', '\r', '\n'], "");
        if self.settings.name.is_empty {
            self.ctx.status(Status::new("grey", "dot", name.as_str()));
        }
        if name.is_empty() {
            self.ctx.warn(self.ctx.text("file.errors.nofilename", &[]));
            return Ok(None);
        }
        let path = full_path(&name, &self.ctx);
        msg.set("filename", name);
        Ok(Some(path))
    }

    fn fail(&self, error: &NodeError, msg: &Message) {
        self.ctx.error(error.clone(), Some(msg));
        if self.settings.send_error {
            let mut without = msg.clone();
            without.remove("payload");
            without.set("error", error.to_value());
            self.ctx.send(without);
        }
    }

    async fn read(&self, msg: &mut Message, path: PathBuf) -> Result<(), NodeError> {
        let encoding = TextEncoding::named(&self.settings.encoding)?;
        let mut source = Source::open(path).await.map_err(|e| e.to_error())?;
        match self.settings.format {
            Format::Lines => self.lines(msg, source, encoding).await,
            Format::Pieces => self.pieces(msg, source).await,
            Format::Text | Format::Buffer => {
                let mut whole = Vec::new();
                while let Some(piece) = source.next().await.map_err(|e| e.to_error())? {
                    if whole.len() + piece.len() > MAX_WHOLE {
                        return Err(self.ctx.text("file.errors.toolarge", &[]).into());
                    }
                    whole.extend_from_slice(&piece);
                }
                let payload: Value = match self.settings.format {
                    Format::Text => encoding.decode(&whole).into(),
                    _ => Bytes::from(whole).into(),
                };
                msg.set("payload", payload);
                self.ctx.send(msg.clone());
                Ok(())
            }
        }
    }

    async fn lines(
        &self,
        msg: &Message,
        mut source: Source,
        encoding: TextEncoding,
    ) -> Result<(), NodeError> {
        let mut lines = Lines::new(encoding);
        let mut index = 0;
        while let Some(piece) = source.next().await.map_err(|e| e.to_error())? {
            lines.push(&piece);
            while let Some(line) = lines.next() {
                self.ctx.ready_beside_sources().await;
                self.part(msg, line.into(), parts(msg, "string", "\n", index, None));
                index += 1;
            }
        }
        let count = Some(index + 1);
        let parts = parts(msg, "string", "\n", index, count);
        self.part(msg, lines.rest().into(), parts);
        Ok(())
    }

    async fn pieces(&self, msg: &Message, mut source: Source) -> Result<(), NodeError> {
        let mut index = 0;
        let mut is_open = false;
        while let Some(piece) = source.next().await.map_err(|e| e.to_error())? {
            self.ctx.ready_beside_sources().await;
            // Only the last one is shorter.
            is_open = piece.len() == PIECE;
            let count = (!is_open).then_some(index + 1);
            let parts = parts(msg, "buffer", "", index, count);
            self.part(msg, Bytes::from(piece).into(), parts);
            index += 1;
        }
        if is_open {
            let mut end = Message::default();
            end.set("parts", parts(msg, "buffer", "", index, Some(index)));
            self.ctx.send(end);
        }
        Ok(())
    }

    fn part(&self, msg: &Message, payload: Value, parts: Object) {
        let mut part = match self.settings.all_properties {
            true => msg.clone(),
            false => {
                let mut part = Message::default();
                for key in ["topic", "filename"] {
                    part.set(key, msg.get(key).clone());
                }
                part
            }
        };
        part.set("payload", payload);
        part.set("parts", parts);
        self.ctx.send(part);
    }
}

fn parts(msg: &Message, kind: &str, separator: &str, index: usize, count: Option<usize>) -> Object {
    let mut parts = Object::new();
    parts.insert("index", index.into());
    if let Some(count) = count {
        parts.insert("count", count.into());
    }
    parts.insert("ch", separator.into());
    parts.insert("type", kind.into());
    parts.insert("id", msg.get("_msgid").clone());
    parts
}

/// An open file, read piece by piece.
struct Source(Option<File>);

impl Source {
    async fn open(path: PathBuf) -> Result<Self, FileError> {
        let opened = tokio::task::spawn_blocking(move || {
            File::open(&path).map_err(FileError::at("open", &path))
        });
        Ok(Self(Some(opened.await.map_err(ended)??)))
    }

    /// The next piece; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, FileError> {
        let Some(mut file) = self.0.take() else {
            return Ok(None);
        };
        let reading = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            let length = loop {
                match file.read(&mut piece) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break read.map_err(FileError::of("read"))?,
                }
            };
            piece.truncate(length);
            Ok((file, piece))
        });
        let (file, piece) = reading.await.map_err(ended)??;
        self.0 = Some(file);
        Ok((!piece.is_empty()).then_some(piece))
    }
}

/// The program ends while it reads.
fn ended(error: tokio::task::JoinError) -> FileError {
    FileError::of("read")(io::Error::other(error))
}

/// Bytes that become lines.
struct Lines {
    encoding: TextEncoding,
    bytes: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to here there is no line feed.
    searched: usize,
    /// Text, where lines can't be told by bytes.
    text: String,
    is_begun: bool,
}

impl Lines {
    fn new(encoding: TextEncoding) -> Self {
        Self {
            encoding,
            bytes: Vec::new(),
            start: 0,
            searched: 0,
            text: String::new(),
            is_begun: false,
        }
    }

    fn push(&mut self, piece: &[u8]) {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.encoding = self.encoding.settled(piece);
        }
        if self.encoding.line_feed().is_none() {
            self.text.push_str(&self.encoding.decode(piece));
            return;
        }
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(piece);
    }

    /// The next whole line, without its end.
    fn next(&mut self) -> Option<String> {
        let feed = self.encoding.line_feed()?;
        let mut units = self.bytes[self.searched..].chunks_exact(feed.len());
        match units.position(|unit| unit == feed) {
            Some(place) => {
                let end = self.searched + place * feed.len();
                let line = self.encoding.decode(&self.bytes[self.start..end]);
                self.start = end + feed.len();
                self.searched = self.start;
                Some(line)
            }
            None => {
                self.searched = self.bytes.len() - self.bytes.len() % feed.len();
                None
            }
        }
    }

    /// What comes after the last line feed.
    fn rest(self) -> String {
        self.text + &self.encoding.decode(&self.bytes[self.start..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(name: &str, pieces: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::new(TextEncoding::named(name).unwrap());
        let mut out = Vec::new();
        for piece in pieces {
            lines.push(piece);
            out.extend(std::iter::from_fn(|| lines.next()));
        }
        out.push(lines.rest());
        out
    }

    #[test]
    fn lines_and_characters_may_lie_across_pieces() {
        assert_eq!(
            lines("none", &[b"a\nb", b"c\n\xe2\x82", b"\xac\n"]),
            ["a", "bc", "€", ""]
        );
        assert_eq!(lines("none", &[b"a\r\n", b"\n"]), ["a\r", "", ""]);
        assert_eq!(lines("none", &[]), [""]);
        let utf16 = TextEncoding::named("utf-16").unwrap().encode("ab\ncਊ\nd");
        let (one, other) = utf16.split_at(7);
        assert_eq!(lines("utf-16", &[one, other]), ["ab", "cਊ", "d"]);
        assert_eq!(lines("hex", &[b"\n", b"\x01"]), ["0a01"]);
    }
}
