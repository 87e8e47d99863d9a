//! A context's kit: the table of JavaScript functions (js/core.js) through which native code works on its values.

use std::{cell::RefCell, sync::Arc};

use rquickjs::{Ctx, Function, Object, Result, Value};

/// The property of the global object that holds the kit; not enumerable.
pub(super) const KIT: &str = "__flowrill";

/// Places in the kit, as core.js fills it.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Tool {
    /// The message handlers, by node.
    Calls,
    ObjectPrototype,
    Classify,
    Make,
    Settle,
    Install,
    Run,
    Fire,
    Close,
    Forget,
    /// Functions that messages and contexts hold, by index.
    Functions,
    Release,
    /// Context values that scripts hold, by ticket.
    Handed,
    AsText,
    WellFormed,
    /// Keeps the names alive that native code knows.
    Names,
    InstallOwn,
    Returned,
    /// Messages on their way from function to function, by place.
    Kept,
}

/// A context while native code works in it.
pub(super) struct Realm<'js> {
    pub(super) ctx: Ctx<'js>,
    kit: Object<'js>,
    pub(super) object_prototype: Value<'js>,
    /// Texts that went in while this realm was entered: one that comes back unchanged is the very same, and need not be
    /// copied.
    texts: RefCell<Vec<(Value<'js>, Arc<str>)>>,
}

/// Texts that are remembered on the way in.
const MAX_TEXTS: usize = 16;

impl<'js> Realm<'js> {
    /// The realm of a context that core.js has run in.
    pub(super) fn of(ctx: &Ctx<'js>) -> Result<Self> {
        let kit: Object = ctx.globals().get(KIT)?;
        let object_prototype = kit.get(Tool::ObjectPrototype as u32)?;
        Ok(Self {
            ctx: ctx.clone(),
            kit,
            object_prototype,
            texts: RefCell::default(),
        })
    }

    /// A function of the kit.
    pub(super) fn tool(&self, tool: Tool) -> Result<Function<'js>> {
        self.kit.get(tool as u32)
    }

    /// A table of the kit.
    pub(super) fn table(&self, tool: Tool) -> Result<Object<'js>> {
        self.kit.get(tool as u32)
    }

    /// Remembers the JavaScript string that a text became.
    pub(super) fn remember(&self, value: &Value<'js>, text: &Arc<str>) {
        let mut texts = self.texts.borrow_mut();
        if texts.len() < MAX_TEXTS {
            texts.push((value.clone(), text.clone()));
        }
    }

    /// The text of a string, shared with what went in if it is the same string.
    pub(super) fn shared_text(&self, text: &rquickjs::String<'js>) -> Result<Arc<str>> {
        let known = self.texts.borrow();
        match known.iter().find(|(value, _)| value == text.as_value()) {
            Some((_, text)) => Ok(text.clone()),
            None => Ok(self.text(text)?.into()),
        }
    }

    /// The text of a JavaScript string. Lone surrogates, which UTF-8 lacks, become U+FFFD.
    pub(super) fn text(&self, text: &rquickjs::String<'js>) -> Result<String> {
        match text.to_string() {
            Err(rquickjs::Error::Utf8(_)) => {
                let clean: rquickjs::String = self.tool(Tool::WellFormed)?.call((text.clone(),))?;
                clean.to_string()
            }
            other => other,
        }
    }
}
