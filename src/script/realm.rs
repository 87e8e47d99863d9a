//! A context's kit: the table of JavaScript functions (js/core.js) through which native code works on its values.

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
}

/// A context while native code works in it.
pub(super) struct Realm<'js> {
    pub(super) ctx: Ctx<'js>,
    kit: Object<'js>,
    pub(super) object_prototype: Value<'js>,
}

impl<'js> Realm<'js> {
    /// The realm of a context that core.js has run in.
    pub(super) fn of(ctx: &Ctx<'js>) -> Result<Self> {
        let kit: Object = ctx.globals().get(KIT)?;
        let object_prototype = kit.get(Tool::ObjectPrototype as u32)?;
        Ok(Self {
            ctx: ctx.clone(),
            kit,
            object_prototype,
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
