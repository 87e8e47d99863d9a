//! The rules of a change node, read once: what stands in the flow file becomes steps to take.

use std::sync::Arc;

use serde::Deserialize;

use super::change_replace::{Needle, Replace, Search, SearchKind};
use crate::{
    engine::Scope,
    message::{
        Kind, Object, Pattern, PropertyPath, Regexp, TypedInput, Value, parse_json, parse_number,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct ChangeConfig {
    rules: Option<Vec<RuleConfig>>,
    // The one rule of a node from Node-RED's early days, which has no list.
    action: String,
    property: String,
    from: String,
    to: String,
    reg: serde_json::Value,
}

/// A rule as it stands in the flow file, completed.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleConfig {
    t: Option<String>,
    p: Option<String>,
    pt: Option<String>,
    to: Option<String>,
    tot: Option<String>,
    from: Option<String>,
    fromt: Option<String>,
    dc: Option<bool>,
    re: Option<bool>,
    /// The value of the environment variable that `to` names.
    #[serde(skip)]
    pub(super) resolved: Option<Value>,
}

/// Something wrong with a rule, by the key of its text.
pub(super) struct Fault {
    pub(super) key: &'static str,
    pub(super) detail: String,
}

/// One thing to do. A rule that moves is several steps.
pub(super) struct Step {
    pub(super) target: Target,
    /// The target as it is written.
    pub(super) property: String,
    pub(super) action: Action,
    /// Text that has become "true" or "false" becomes a boolean.
    pub(super) makes_bool: bool,
}

pub(super) enum Target {
    Message(PropertyPath),
    Context(Scope, Arc<str>),
    Nowhere,
}

pub(super) enum Action {
    Set {
        value: Source,
    },
    Change {
        from: Search,
        value: Source,
        /// What takes the place of a text, when that is known beforehand.
        replace: Option<Replace>,
    },
    Delete,
    Nothing,
}

/// Where a value comes from.
pub(super) enum Source {
    Constant(Value),
    Message(PropertyPath),
    Context(Scope, Arc<str>),
    Input(TypedInput),
    Unreadable,
}

impl Fault {
    pub(super) fn new(key: &'static str, detail: String) -> Self {
        Self { key, detail }
    }
}

impl ChangeConfig {
    /// The rules, with what Node-RED fills in.
    pub(super) fn rules(self) -> Vec<RuleConfig> {
        let mut rules = self.rules.unwrap_or_else(|| {
            let replaces = self.action == "change";
            let sets = matches!(self.action.as_str(), "replace" | "set" | "move");
            let regex = self.reg.is_null() || crate::message::Value::from(self.reg).is_truthy();
            vec![RuleConfig {
                t: Some(if self.action == "replace" {
                    "set".into()
                } else {
                    self.action
                }),
                p: Some(self.property),
                to: (replaces || sets).then_some(self.to),
                from: replaces.then_some(self.from),
                re: replaces.then_some(regex),
                ..RuleConfig::default()
            }]
        });
        rules.iter_mut().for_each(RuleConfig::complete);
        rules
    }
}

impl RuleConfig {
    fn complete(&mut self) {
        let given = |kind: &Option<String>| kind.as_deref().is_some_and(|kind| !kind.is_empty());
        if !given(&self.pt) {
            self.pt = Some("msg".into());
        }
        if self.is("change") && self.re == Some(true) {
            self.fromt = Some("re".into());
            self.re = None;
        }
        if self.is("set")
            && !given(&self.tot)
            && let Some(rest) = self.to().strip_prefix("msg.")
        {
            self.to = Some(rest.to_owned());
            self.tot = Some("msg".into());
        }
        for kind in [&mut self.tot, &mut self.fromt] {
            if !given(kind) {
                *kind = Some("str".into());
            }
        }
    }

    fn is(&self, action: &str) -> bool {
        self.t.as_deref() == Some(action)
    }

    pub(super) fn to(&self) -> &str {
        self.to.as_deref().unwrap_or_default()
    }

    pub(super) fn tot(&self) -> &str {
        self.tot.as_deref().unwrap_or_default()
    }

    fn from(&self) -> &str {
        self.from.as_deref().unwrap_or_default()
    }

    /// Whether what to search for is known beforehand.
    fn searches_fixed(&self) -> bool {
        !matches!(self.fromt.as_deref(), Some("msg" | "flow" | "global"))
    }

    /// The rule as the node holds it.
    pub(super) fn shown(&self) -> Object {
        let mut shown = Object::new();
        let mut show = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                shown.insert(key, value);
            }
        };
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        show("t", text(&self.t));
        show("p", text(&self.p));
        show("pt", text(&self.pt));
        show(
            "to",
            match self.tot() {
                "num" => Some(Value::Number(
                    self.to.as_deref().map_or(f64::NAN, parse_number),
                )),
                "bool" => Some(self.to().eq_ignore_ascii_case("true").into()),
                "env" => self.resolved.clone().or_else(|| text(&self.to)),
                _ => text(&self.to),
            },
        );
        show("tot", text(&self.tot));
        show("from", text(&self.from));
        show("fromt", text(&self.fromt));
        show("dc", self.dc.map(Value::Bool));
        show("re", self.re.map(Value::Bool));
        if self.is("change") && self.searches_fixed() {
            let source = match self.fromt.as_deref() {
                Some("re") => self.from().to_owned(),
                _ => escaped(self.from()),
            };
            // An expression that is none stays text; the node handles no message then.
            if Pattern::new(&source, "g").is_err() {
                show("fromRE", Some(source.into()));
                return shown;
            }
            // The empty expression, as JavaScript writes it.
            let source = if source.is_empty() {
                "(?:)".into()
            } else {
                source
            };
            let regexp = Regexp {
                source: source.into(),
                flags: "g".into(),
            };
            show("fromRE", Some(Value::Regexp(regexp.into())));
        }
        shown
    }
}

/// The text as an expression that matches just it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "-[]{}()*+?.,\\^$|#".contains(c) || c.is_whitespace() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// What a rule makes the node do.
pub(super) fn steps(rule: &RuleConfig, faults: &mut Vec<Fault>) -> Vec<Step> {
    let p = rule.p.as_deref().unwrap_or_default();
    let pt = rule.pt.as_deref().unwrap_or_default();
    let step = |target: Target, property: &str, action: Action| Step {
        target,
        property: property.to_owned(),
        action,
        makes_bool: rule.tot() == "bool" && pt == "msg",
    };
    match rule.t.as_deref() {
        Some("set") => {
            let value = value(rule, faults);
            vec![step(target(p, pt), p, Action::Set { value })]
        }
        Some("change") => {
            let from = from(rule, faults);
            let value = value(rule, faults);
            vec![step(
                target(p, pt),
                p,
                Action::Change {
                    from,
                    value,
                    replace: None,
                },
            )]
        }
        Some("delete") => vec![step(target(p, pt), p, Action::Delete)],
        Some("move") => {
            // A place to move to has no other kinds; an early node names none and means the message.
            let tot = match rule.tot() {
                kind @ ("flow" | "global") => kind,
                _ => "msg",
            };
            let set = |to: &str, to_kind: &str, from: &str, from_kind: &str| {
                let value = place(from, from_kind);
                step(target(to, to_kind), to, Action::Set { value })
            };
            let delete = |p: &str, pt: &str| step(target(p, pt), p, Action::Delete);
            let to = rule.to();
            if tot != pt || (p.contains(to) && p != to) {
                vec![set(to, tot, p, pt), delete(p, pt)]
            } else {
                // The new place may lie within the old one.
                const TEMPORARY: &str = "_temp_move";
                vec![
                    set(TEMPORARY, tot, p, pt),
                    delete(p, pt),
                    set(to, tot, TEMPORARY, tot),
                    delete(TEMPORARY, pt),
                ]
            }
        }
        _ => vec![step(target(p, pt), p, Action::Nothing)],
    }
}

fn target(p: &str, pt: &str) -> Target {
    match pt {
        "msg" => PropertyPath::parse_message(p).map_or(Target::Nowhere, Target::Message),
        "flow" => Target::Context(Scope::Flow, p.into()),
        "global" => Target::Context(Scope::Global, p.into()),
        _ => Target::Nowhere,
    }
}

/// A value in a message or the context.
fn place(p: &str, pt: &str) -> Source {
    match target(p, pt) {
        Target::Message(path) => Source::Message(path),
        Target::Context(scope, key) => Source::Context(scope, key),
        Target::Nowhere => Source::Unreadable,
    }
}

/// The value of `to`.
fn value(rule: &RuleConfig, faults: &mut Vec<Fault>) -> Source {
    let to = rule.to();
    let kind = match rule.tot() {
        kind @ ("msg" | "flow" | "global") => return place(to, kind),
        "num" if rule.to.is_none() => return Source::Constant(Value::Number(f64::NAN)),
        kind @ ("num" | "bool" | "json" | "bin" | "date" | "jsonata" | "env") => {
            Kind::from_name(kind)
        }
        _ => Kind::String,
    };
    if matches!(kind, Kind::Json | Kind::Buffer) && parse_json(to).is_err() {
        faults.push(Fault::new("change.errors.invalid-json", String::new()));
        return Source::Unreadable;
    }
    match TypedInput::parse(to, kind) {
        Ok(TypedInput::Constant(value)) => Source::Constant(value),
        Ok(input) => Source::Input(input),
        // JSON, but no bytes: nothing is set, as in Node-RED.
        Err(_) => Source::Unreadable,
    }
}

/// What a change rule searches for.
fn from(rule: &RuleConfig, faults: &mut Vec<Fault>) -> Search {
    let text = rule.from();
    let kind = match rule.fromt.as_deref() {
        Some(kind @ ("msg" | "flow" | "global")) => return Search::Read(place(text, kind)),
        Some("num") => SearchKind::Number,
        Some("bool") => SearchKind::Bool,
        Some("str") => SearchKind::Text,
        Some("re") => SearchKind::Regexp,
        _ => SearchKind::Other,
    };
    match Needle::new(text, kind) {
        Ok(needle) => Search::Fixed(needle),
        Err(error) => {
            faults.push(Fault::new("change.errors.invalid-from", error.to_string()));
            Search::Read(Source::Unreadable)
        }
    }
}
