//! `file in`: reads a file, whole or in pieces (Node-RED's file in node).

use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::file_reader::{Reader, Waiting};
use crate::{
    engine::{Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError, Status},
    message::Message,
    nodes::shared::files::FileName,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct FileInConfig {
    filename: String,
    filename_type: String,
    format: String,
    /// Only older flows have it; the format says it.
    #[serde(rename = "chunk")]
    _chunk: bool,
    send_error: bool,
    encoding: String,
    all_props: bool,
}

/// What becomes of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Format {
    Text,
    Buffer,
    /// A message for each line.
    Lines,
    /// A message for each piece.
    Pieces,
}

impl Format {
    /// Whether one message makes many.
    pub(super) fn is_many(self) -> bool {
        matches!(self, Self::Lines | Self::Pieces)
    }
}

/// The settings, as the reader needs them.
pub(super) struct Settings {
    pub(super) name: FileName,
    pub(super) format: Format,
    pub(super) send_error: bool,
    pub(super) encoding: String,
    pub(super) all_properties: bool,
}

/// A running file in node: it hands messages to its reader, which reads one file after the other.
pub(in crate::nodes) struct FileIn {
    settings: Option<Settings>,
    format: Format,
    queue: Option<UnboundedSender<Waiting>>,
}

impl FileIn {
    /// Reads the settings.
    pub(in crate::nodes) fn new(config: FileInConfig, _build: &Build) -> Result<Self, ConfigError> {
        let format = match config.format.as_str() {
            "utf8" => Format::Text,
            "lines" => Format::Lines,
            "stream" => Format::Pieces,
            _ => Format::Buffer,
        };
        let settings = Settings {
            name: FileName::new(&config.filename, &config.filename_type),
            format,
            send_error: config.send_error,
            encoding: match config.encoding {
                name if name.is_empty() => "none".into(),
                name => name,
            },
            all_properties: config.all_props,
        };
        Ok(Self {
            settings: Some(settings),
            format,
            queue: None,
        })
    }
}

impl Node for FileIn {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        if let Some(settings) = self.settings.take() {
            // Every waiting message counts towards the flow's limit, so that sources wait.
            let (queue, messages) = unbounded_channel();
            ctx.spawn_service(Reader::new(settings, ctx.clone()).run(messages));
            self.queue = Some(queue);
        }
        Ok(())
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if let Some(queue) = &self.queue {
            let counted = if self.format.is_many() {
                ctx.waiting()
            } else {
                ctx.busy()
            };
            // The reader ends only with the node.
            let _ = queue.send((msg, counted));
        }
        Ok(())
    }

    fn on_close(&mut self, _removed: bool, ctx: &NodeContext) -> Closing {
        ctx.status(Status::default());
        Closing::Done
    }
}
