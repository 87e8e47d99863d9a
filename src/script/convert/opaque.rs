//! Values that cannot be copied: a script's functions, and what other layers hang on a message (`msg.req`).

use std::{
    any::Any,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use rquickjs::{Ctx, Function, Result, Value as JsValue, function::Opt};

use super::super::realm::{Realm, Tool};
use super::names::Names;
use crate::message::{Opaque, OpaqueValue, Value};

/// What a context keeps on the Rust side to let values across: names it has met, and the places of those of its functions
/// that messages or contexts hold. The functions themselves stay in a table on the JavaScript side.
#[derive(Clone)]
pub(in crate::script) struct Crossing {
    /// Names the runtime and context: a function can be used nowhere else.
    id: u64,
    pub(super) names: Names,
    /// Places that nobody holds any more.
    freed: Arc<Mutex<Vec<u32>>>,
    /// Where a holder puts what it holds when it is asked.
    deposit: Arc<Mutex<Option<Opaque>>>,
}

struct ScriptFunction {
    id: u64,
    index: u32,
    name: Arc<str>,
    freed: Arc<Mutex<Vec<u32>>>,
}

impl Crossing {
    pub(in crate::script) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            names: Names::default(),
            freed: Arc::default(),
            deposit: Arc::default(),
        }
    }

    /// A number that no other context has.
    pub(in crate::script) fn id(&self) -> u64 {
        self.id
    }

    /// Whether [`Crossing::sweep`] has something to do.
    pub(in crate::script) fn has_freed(&self) -> bool {
        !self.freed.lock().is_empty()
    }

    /// A function that has just got this place in the table.
    pub(super) fn taken(&self, index: u32, name: &str) -> Opaque {
        Opaque(Arc::new(ScriptFunction {
            id: self.id,
            index,
            name: name.into(),
            freed: self.freed.clone(),
        }))
    }

    /// Lets go of functions that nobody outside holds any more.
    pub(in crate::script) fn sweep(&self, realm: &Realm) -> Result<()> {
        let freed = std::mem::take(&mut *self.freed.lock());
        for index in freed {
            realm.tool(Tool::Release)?.call::<_, ()>((index,))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ScriptFunction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "[Function: {}]", self.name)
    }
}

impl Drop for ScriptFunction {
    fn drop(&mut self) {
        self.freed.lock().push(self.index);
    }
}

impl OpaqueValue for ScriptFunction {
    fn type_name(&self) -> &str {
        "function"
    }

    fn get(&self, key: &str) -> Option<Value> {
        (key == "name").then(|| self.name.clone().into())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The function itself in its own realm; elsewhere one that says why it cannot be called. Anything else becomes a holder.
pub(super) fn to_js<'js>(
    realm: &Realm<'js>,
    crossing: &Crossing,
    opaque: &Opaque,
) -> Result<JsValue<'js>> {
    if let Some(function) = opaque.0.as_any().downcast_ref::<ScriptFunction>() {
        if function.id == crossing.id {
            return realm.table(Tool::Functions)?.get(function.index);
        }
        return realm.tool(Tool::Make)?.call(("foreign",));
    }
    let held = opaque.clone();
    let crossing = crossing.clone();
    // Holds no JavaScript value, so that the runtime can always be dropped.
    let holder = Function::new(
        realm.ctx.clone(),
        move |ctx: Ctx<'js>, key: Opt<String>| -> Result<JsValue<'js>> {
            match key.0 {
                None => {
                    *crossing.deposit.lock() = Some(held.clone());
                    Ok(JsValue::new_undefined(ctx))
                }
                Some(key) => {
                    let value = held.0.get(&key).unwrap_or_default();
                    super::to_js(&Realm::of(&ctx)?, &crossing, &value)
                }
            }
        },
    )?;
    realm.tool(Tool::Make)?.call(("opaque", holder))
}

/// What a holder holds.
pub(super) fn from_js<'js>(crossing: &Crossing, holder: &Function<'js>) -> Result<Option<Opaque>> {
    holder.call::<_, ()>(())?;
    Ok(crossing.deposit.lock().take())
}
