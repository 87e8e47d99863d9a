//! `context.get` and `set` for scripts. What a script was handed it may change in place, as in Node-RED: the changes are
//! written back when the run ends, and before anything else is done with the same key.

use rquickjs::{Object as JsObject, Result, Value as JsValue};

use super::{
    convert::{Crossing, from_js, to_js},
    realm::{Realm, Tool},
    shared::Shared,
};
use crate::{
    engine::{LogLevel, Scope},
    message::{PathError, Value},
};

/// A container that a script holds: the value itself stands in the kit's table under its ticket.
#[derive(Debug)]
pub(super) struct Handed {
    ticket: u32,
    node: u32,
    /// The context that the script runs in.
    realm: u64,
    scope: Scope,
    key: String,
    store: Option<String>,
    /// What the store holds.
    last: Value,
}

impl Handed {
    pub(super) fn node(&self) -> u32 {
        self.node
    }

    /// Whether `key` reaches into this value or holds it.
    fn touches(&self, node: u32, scope: Scope, key: &str, store: Option<&str>) -> bool {
        let root = |key: &str| key.split(['.', '[']).next().unwrap_or_default().to_owned();
        self.node == node
            && self.scope == scope
            && self.store.as_deref() == store
            && root(&self.key) == root(key)
    }
}

/// One call of a script on a context.
pub(super) struct Access<'a, 'js> {
    pub(super) shared: &'a Shared,
    pub(super) realm: &'a Realm<'js>,
    pub(super) crossing: &'a Crossing,
    pub(super) node: u32,
    pub(super) scope: Scope,
    pub(super) key: String,
    pub(super) store: Option<String>,
}

impl<'js> Access<'_, 'js> {
    /// The value; the very same object as before while nobody else has changed it.
    pub(super) fn get(&self) -> Result<JsValue<'js>> {
        let Some(ctx) = self.shared.context_of(self.node) else {
            return Ok(JsValue::new_undefined(self.realm.ctx.clone()));
        };
        self.flush();
        let value = ctx
            .store(self.scope)
            .get(&self.key, self.store.as_deref())
            .map_err(|text| self.thrown(&text))?;
        if !is_container(&value) {
            return to_js(self.realm, self.crossing, &value);
        }
        let known = self
            .shared
            .handed
            .lock()
            .iter()
            .find(|handed| {
                handed.key == self.key
                    && handed.touches(self.node, self.scope, &self.key, self.store.as_deref())
                    && handed.last == value
            })
            .map(|handed| handed.ticket);
        if let Some(ticket) = known {
            return held(self.realm, ticket);
        }
        let made = to_js(self.realm, self.crossing, &value)?;
        self.hand_out(&made, value)?;
        Ok(made)
    }

    /// Sets the value. A container stays the script's: what it changes later is written back, too.
    pub(super) fn set(&self, given: &JsValue<'js>) -> Result<()> {
        let Some(ctx) = self.shared.context_of(self.node) else {
            return Ok(());
        };
        self.flush();
        let value = from_js(self.realm, self.crossing, given)?;
        ctx.store(self.scope)
            .set(&self.key, value.clone(), self.store.as_deref())
            .map_err(|text| self.thrown(&text))?;
        // What was handed out under this key is no longer what the store holds.
        self.keep_others(|_| false);
        if is_container(&value) {
            self.hand_out(given, value)?;
        }
        Ok(())
    }

    /// Throws what is wrong with a key, with Node-RED's code.
    fn thrown(&self, text: &str) -> rquickjs::Error {
        let error = Value::from(PathError::error_of(text));
        match to_js(self.realm, self.crossing, &error) {
            Ok(error) => self.realm.ctx.throw(error),
            Err(error) => error,
        }
    }

    fn hand_out(&self, made: &JsValue<'js>, value: Value) -> Result<()> {
        let ticket = self.shared.next_number();
        let table: JsObject = self.realm.table(Tool::Handed)?;
        let set: rquickjs::Function = table.get("set")?;
        set.call::<_, ()>((rquickjs::function::This(table), ticket, made.clone()))?;
        self.shared.handed.lock().push(Handed {
            ticket,
            node: self.node,
            realm: self.crossing.id(),
            scope: self.scope,
            key: self.key.clone(),
            store: self.store.clone(),
            last: value,
        });
        Ok(())
    }

    /// Writes back what this node holds of the same value.
    fn flush(&self) {
        self.keep_others(|handed| write_one(self.shared, self.realm, self.crossing, handed));
    }

    /// Forgets those of this node's values under the key that `keep` does not keep.
    fn keep_others(&self, mut keep: impl FnMut(&mut Handed) -> bool) {
        let mut all = std::mem::take(&mut *self.shared.handed.lock());
        all.retain_mut(|handed| {
            let kept = !handed.touches(self.node, self.scope, &self.key, self.store.as_deref())
                || keep(handed);
            if !kept {
                forget(self.realm, handed.ticket);
            }
            kept
        });
        self.shared.handed.lock().extend(all);
    }
}

/// Writes back what scripts of this realm have changed, and forgets what no run can change any more.
pub(super) fn write_back(shared: &Shared, realm: &Realm, crossing: &Crossing) {
    let all = std::mem::take(&mut *shared.handed.lock());
    let mut kept = Vec::with_capacity(all.len());
    for mut handed in all {
        if handed.realm != crossing.id() {
            kept.push(handed);
            continue;
        }
        let ours = write_one(shared, realm, crossing, &mut handed);
        if ours && shared.is_busy(handed.node) {
            kept.push(handed);
        } else {
            forget(realm, handed.ticket);
        }
    }
    shared.handed.lock().extend(kept);
}

/// Writes one value back if it was changed. False when the store holds something else by now.
fn write_one(shared: &Shared, realm: &Realm, crossing: &Crossing, handed: &mut Handed) -> bool {
    let Some(ctx) = shared.context_of(handed.node) else {
        return false;
    };
    let now = match held(realm, handed.ticket).and_then(|value| from_js(realm, crossing, &value)) {
        Ok(now) => now,
        Err(_) => {
            realm.ctx.catch();
            let text = format!(
                "The context value \"{}\" was changed to something that cannot be kept",
                handed.key
            );
            ctx.log(LogLevel::Warn, text);
            return false;
        }
    };
    if now == handed.last {
        return true;
    }
    let store = ctx.store(handed.scope);
    if store
        .get(&handed.key, handed.store.as_deref())
        .is_ok_and(|stored| stored == handed.last)
        && store
            .set(&handed.key, now.clone(), handed.store.as_deref())
            .is_ok()
    {
        handed.last = now;
        return true;
    }
    false
}

fn held<'js>(realm: &Realm<'js>, ticket: u32) -> Result<JsValue<'js>> {
    let table = realm.table(Tool::Handed)?;
    let get: rquickjs::Function = table.get("get")?;
    get.call((rquickjs::function::This(table), ticket))
}

fn forget(realm: &Realm, ticket: u32) {
    let done = realm.table(Tool::Handed).and_then(|table| {
        let delete: rquickjs::Function = table.get("delete")?;
        delete.call::<_, ()>((rquickjs::function::This(table), ticket))
    });
    if done.is_err() {
        realm.ctx.catch();
    }
}

fn is_container(value: &Value) -> bool {
    matches!(
        value,
        Value::Array(_) | Value::Object(_) | Value::Map(_) | Value::Set(_) | Value::Bytes(_)
    )
}
