//! `csv`: CSV text to objects, and objects or lists to CSV text (Node-RED's csv node, both of its modes).
//!
//! The csv crate is not used: each mode has rules of its own for quotes, empty cells and columns that flows depend on,
//! and no reader by RFC 4180 or by any dialect of it can be set to them.

mod cells;
mod columns;
mod leaving;
mod legacy_read;
mod legacy_write;
mod rfc;
mod rfc_read;
mod rfc_write;
mod rows;

use std::collections::VecDeque;

use serde::Deserialize;

use self::{columns::Template, leaving::Leaving};
use crate::{
    engine::{AnyEvent, Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError, Status},
    message::{ErrorValue, Message, Object, Value},
    nodes::shared::outbox::{GoOn, IN_ONE_GO},
};

/// Messages that may wait here for the end of a long text.
const MOST_WAITING: usize = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct CsvConfig {
    spec: String,
    temp: String,
    sep: String,
    hdrin: bool,
    hdrout: String,
    multi: String,
    ret: String,
    skip: Option<f64>,
    strings: bool,
    include_empty_strings: bool,
    include_null_values: bool,
}

/// When a line with the columns' names is written.
#[derive(Clone, Copy, PartialEq)]
enum Header {
    Never,
    Always,
    /// Until a message with `reset` comes.
    Once,
}

/// What the settings say, read.
struct Settings {
    template: String,
    separator: String,
    line_end: String,
    header_in: bool,
    header_out: Header,
    /// `one` for a message a row, anything else for one message. Only with `mult` has every piece of a sequence a header.
    multi: String,
    /// Lines to leave out at the start. NaN is none.
    skip: f64,
    parse_numbers: bool,
    keep_empty: bool,
    keep_null: bool,
}

impl Settings {
    fn new(config: CsvConfig) -> Self {
        let is_rfc = config.spec == "rfc";
        let line_end = match (config.ret.as_str(), is_rfc) {
            ("", true) => "\r\n".into(),
            ("", false) => "\n".into(),
            (ret, _) => ret.replace("\\n", "\n").replace("\\r", "\r"),
        };
        let separator = match config.sep.as_str() {
            "" => ",".into(),
            sep => sep
                .replace("\\t", "\t")
                .replace("\\n", "\n")
                .replace("\\r", "\r"),
        };
        let header_out = match config.hdrout.as_str() {
            "" | "none" | "false" => Header::Never,
            "once" => Header::Once,
            "all" | "true" => Header::Always,
            _ if is_rfc => Header::Never,
            _ => Header::Always,
        };
        Self {
            template: config.temp,
            separator,
            line_end,
            header_in: config.hdrin,
            header_out,
            multi: if config.multi.is_empty() {
                "one".into()
            } else {
                config.multi
            },
            skip: config.skip.unwrap_or(f64::NAN).trunc(),
            parse_numbers: config.strings,
            keep_empty: config.include_empty_strings,
            keep_null: config.include_null_values,
        }
    }

    /// One message for all rows, not one for each.
    fn together(&self) -> bool {
        self.multi != "one"
    }

    /// The separator as the character that the readers look for; longer ones are never found in data.
    fn separator_character(&self) -> Option<char> {
        let mut characters = self.separator.chars();
        let first = characters.next()?;
        (characters.next().is_none() && first.len_utf16() == 1).then_some(first)
    }
}

/// What goes on between messages.
#[derive(Default)]
struct State {
    header_sent: bool,
    /// It was said that objects come without a template.
    warned: bool,
    /// Rows of a sequence that is not complete.
    stored: Vec<Value>,
    /// Rows that are being sent, and the messages that came meanwhile.
    leaving: Option<Leaving>,
    waiting: VecDeque<Message>,
}

enum Mode {
    Legacy(columns::Legacy),
    /// The columns, as they were last found.
    Rfc(Template),
    /// RFC mode with a template that is none: the node does nothing.
    Dead,
}

/// A running csv node.
pub(in crate::nodes) struct Csv {
    settings: Settings,
    state: State,
    mode: Mode,
}

impl Csv {
    /// Reads the columns; a bad template is told at the start.
    pub(in crate::nodes) fn new(config: CsvConfig, _build: &Build) -> Result<Self, ConfigError> {
        let is_rfc = config.spec == "rfc";
        let settings = Settings::new(config);
        let mode = if is_rfc {
            rfc::template(&settings.template).map_or(Mode::Dead, Mode::Rfc)
        } else {
            Mode::Legacy(columns::Legacy::new(&settings.template))
        };
        Ok(Self {
            settings,
            state: State::default(),
            mode,
        })
    }
}

impl Node for Csv {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        ctx.status(Status::default());
        if matches!(self.mode, Mode::Dead) {
            let text = ctx.text("csv.errors.bad_template", &[]);
            ctx.warn(text.as_str());
            ctx.status(Status::new("red", "dot", text));
        }
        Ok(())
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if self.state.leaving.is_some() {
            if self.state.waiting.len() >= MOST_WAITING {
                return Err(Failed::with(ctx.text("csv.errors.too-many", &[]), msg));
            }
            self.state.waiting.push_back(msg);
            return Ok(());
        }
        self.take(msg, ctx)?;
        self.go_on(IN_ONE_GO, ctx);
        Ok(())
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        if event.is::<GoOn>() {
            self.go_on(IN_ONE_GO, ctx);
        }
    }

    fn on_close(&mut self, _removed: bool, ctx: &NodeContext) -> Closing {
        self.go_on(usize::MAX, ctx);
        Closing::Done
    }

    fn props(&self) -> Object {
        let settings = &self.settings;
        let mut props = Object::new();
        props.insert("template", settings.template.as_str().into());
        props.insert("sep", settings.separator.as_str().into());
        props.insert("quo", "\"".into());
        props.insert("ret", settings.line_end.as_str().into());
        props.insert("lineend", "\n".into());
        props.insert("multi", settings.multi.as_str().into());
        props.insert("hdrin", settings.header_in.into());
        let header_out = match settings.header_out {
            Header::Never => "none",
            Header::Always => "all",
            Header::Once => "once",
        };
        props.insert("hdrout", header_out.into());
        props.insert("skip", settings.skip.into());
        props.insert("parsestrings", settings.parse_numbers.into());
        props.insert("include_empty_strings", settings.keep_empty.into());
        props.insert("include_null_values", settings.keep_null.into());
        props
    }
}

impl Csv {
    /// Sends what is leaving, at most so many rows, and then what waits.
    fn go_on(&mut self, mut left: usize, ctx: &NodeContext) {
        loop {
            if let Some(leaving) = self.state.leaving.take() {
                let (sent, more) = leaving.send(left, ctx);
                left -= sent;
                self.state.leaving = more;
            }
            if self.state.leaving.is_some() {
                return ctx.post(Box::new(GoOn));
            }
            let Some(msg) = self.state.waiting.pop_front() else {
                return;
            };
            if let Err(Failed { error, msg }) = self.take(msg, ctx) {
                match msg {
                    Some(msg) => ctx.failed(error, msg),
                    None => ctx.error(error, None),
                }
            }
        }
    }

    fn take(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let Self {
            settings,
            state,
            mode,
        } = self;
        if matches!(mode, Mode::Dead) {
            return Ok(());
        }
        if matches!(mode, Mode::Rfc(_)) {
            ctx.status(Status::default());
        }
        if msg.fields().contains_key("reset") {
            state.header_sent = false;
        }
        if !msg.fields().contains_key("payload") {
            let completion = ctx.completion(&msg);
            if !msg.fields().contains_key("reset") {
                ctx.send(msg);
            }
            completion.done();
            return Ok(());
        }
        let mut work = Work {
            settings,
            state,
            ctx,
        };
        match (msg.payload().clone(), mode) {
            (Value::String(text), Mode::Legacy(columns)) => work.legacy_read(&text, columns, msg),
            (Value::String(text), Mode::Rfc(template)) => work.rfc_read(&text, template, msg),
            (payload, Mode::Legacy(columns)) if payload.type_of() == "object" => {
                work.legacy_write(payload, columns, msg)
            }
            (payload, Mode::Rfc(template)) if payload.type_of() == "object" => {
                work.rfc_write(payload, template, msg)
            }
            (_, Mode::Rfc(_)) => {
                let text = ctx.text("csv.errors.csv_js", &[]);
                ctx.status(Status::new("red", "dot", text.as_str()));
                Err(Failed::with(js_error("Error", &text), msg))
            }
            _ => {
                ctx.warn(ctx.text("csv.errors.csv_js", &[]));
                ctx.completion(&msg).done();
                Ok(())
            }
        }
    }
}

/// One message in the node's hands.
struct Work<'a> {
    settings: &'a Settings,
    state: &'a mut State,
    ctx: &'a NodeContext,
}

/// An error as JavaScript throws it.
fn js_error(name: &str, message: &str) -> ErrorValue {
    ErrorValue {
        name: name.into(),
        message: message.into(),
        ..ErrorValue::default()
    }
}

/// JavaScript's error for a property of what has none.
fn cannot_read(of: &Value, property: &str) -> ErrorValue {
    js_error(
        "TypeError",
        &format!(
            "Cannot read properties of {} (reading '{property}')",
            of.to_text()
        ),
    )
}
