//! `file`: writes messages into a file, or deletes it (Node-RED's file node).

use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::task::AbortOnDropHandle;

use super::file_writer::{Waiting, Writer};
use crate::{
    engine::{Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError, Status},
    message::Message,
    nodes::shared::files::FileName,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct FileConfig {
    filename: String,
    filename_type: String,
    append_newline: bool,
    overwrite_file: String,
    create_dir: bool,
    encoding: String,
}

/// What is done with the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Action {
    Append,
    Overwrite,
    Delete,
}

/// The settings, as the writer needs them.
pub(super) struct Settings {
    pub(super) name: FileName,
    pub(super) append_newline: bool,
    pub(super) action: Action,
    pub(super) create_folder: bool,
    /// The encoding's name, `none`, or `setbymsg`.
    pub(super) encoding: String,
}

/// A running file node: it hands messages to its writer, which takes one after the other.
pub(in crate::nodes) struct File {
    settings: Option<Settings>,
    queue: Option<UnboundedSender<Waiting>>,
    writer: Option<AbortOnDropHandle<()>>,
}

impl File {
    /// Reads the settings; nothing is opened before the first message.
    pub(in crate::nodes) fn new(config: FileConfig, _build: &Build) -> Result<Self, ConfigError> {
        let settings = Settings {
            name: FileName::new(&config.filename, &config.filename_type),
            append_newline: config.append_newline,
            action: match config.overwrite_file.as_str() {
                "true" => Action::Overwrite,
                "delete" => Action::Delete,
                _ => Action::Append,
            },
            create_folder: config.create_dir,
            encoding: match config.encoding {
                name if name.is_empty() => "none".into(),
                name => name,
            },
        };
        Ok(Self {
            settings: Some(settings),
            queue: None,
            writer: None,
        })
    }
}

impl Node for File {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        if let Some(settings) = self.settings.take() {
            // Every waiting message counts towards the flow's limit, so that sources wait.
            let (queue, messages) = unbounded_channel();
            let writer = Writer::new(settings, ctx.clone());
            self.writer = Some(ctx.spawn_to_end(writer.run(messages)));
            self.queue = Some(queue);
        }
        Ok(())
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if let Some(queue) = &self.queue {
            // The writer ends only after this sender is gone.
            let _ = queue.send((msg, ctx.busy()));
        }
        Ok(())
    }

    fn on_close(&mut self, _removed: bool, ctx: &NodeContext) -> Closing {
        self.queue = None;
        let (writer, ctx) = (self.writer.take(), ctx.clone());
        Closing::Later(Box::pin(async move {
            if let Some(writer) = writer {
                // What still waits is written first.
                let _ = writer.await;
            }
            ctx.status(Status::default());
        }))
    }
}
