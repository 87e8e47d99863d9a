//! `watch`: tells when files or folders change (Node-RED's watch node).

use serde::Deserialize;

use super::watched::{Watched, tell_changes};
use crate::{
    engine::{Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError},
    message::{ErrorValue, Message, Object, Value, stringify},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct WatchConfig {
    files: String,
    recursive: bool,
}

/// A running watch node.
pub(in crate::nodes) struct Watch {
    files: Vec<String>,
    recursive: bool,
}

impl Watch {
    /// Reads the list of files.
    pub(in crate::nodes) fn new(config: WatchConfig, _build: &Build) -> Result<Self, ConfigError> {
        let WatchConfig { files, recursive } = config;
        Ok(Self {
            files: files
                .split(',')
                .map(|file| file.trim().to_owned())
                .collect(),
            recursive,
        })
    }

    /// The topic of its messages: the one name, or the list of them.
    fn topic(&self) -> String {
        if let [file] = self.files.as_slice() {
            return file.clone();
        }
        let names: Vec<Value> = self.files.iter().map(|file| file.as_str().into()).collect();
        stringify(&names.into()).ok().flatten().unwrap_or_default()
    }
}

/// An error is told with a message of its own.
fn report(ctx: &NodeContext, error: ErrorValue) {
    ctx.error(error, Some(&Message::with_payload("")));
}

impl Node for Watch {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        // Two system calls: done here, so that no change after the deploy is missed. Only what lies deeper is looked for
        // beside the flow.
        let mut watched = Watched::new(self.topic());
        let mut errors: Vec<ErrorValue> = Vec::new();
        if !self.recursive {
            errors = watched.add_all(&self.files, false);
        }
        let (files, recursive, ctx_of_task) = (self.files.clone(), self.recursive, ctx.clone());
        ctx.spawn_service(async move {
            if recursive {
                let looked = tokio::task::spawn_blocking(move || {
                    let errors = watched.add_all(&files, true);
                    (watched, errors)
                });
                let Ok((deep, found)) = looked.await else {
                    return;
                };
                (watched, errors) = (deep, found);
            }
            for error in errors {
                report(&ctx_of_task, error);
            }
            tell_changes(watched, &ctx_of_task, report).await;
        });
        Ok(())
    }

    fn on_input(&mut self, _msg: Message, _ctx: &NodeContext) -> Result<(), Failed> {
        Ok(())
    }

    fn on_close(&mut self, _removed: bool, _ctx: &NodeContext) -> Closing {
        Closing::Done
    }

    fn props(&self) -> Object {
        let files: Vec<Value> = self.files.iter().map(|file| file.as_str().into()).collect();
        Object::from_iter([("files", files.into())])
    }
}
