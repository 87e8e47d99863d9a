//! The table `[context]`: which context stores there are (Node-RED's `contextStorage`).

use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    SettingsError,
    file::{Source, in_order},
};
use crate::store::{ContextConfig, ContextModule};

/// What a store may have.
const KEYS: &str = "module and interval (in seconds)";

impl Source<'_> {
    /// Reads `name = { module = "…" }` for each store, and `default = "name"`.
    pub(super) fn context(&self, table: &DeTable) -> Result<ContextConfig, SettingsError> {
        let mut stores = Vec::new();
        let mut default = None;
        // The first store is the default one unless another is named.
        let entries = in_order(table);
        for (key, value) in &entries {
            match value.get_ref().as_str() {
                Some(name) if key.get_ref() == "default" => default = Some(name),
                _ => stores.push((key.get_ref().to_string(), self.store(key, value)?)),
            }
        }
        ContextConfig::new(stores, default).map_err(|reason| {
            let line = entries.first().map_or(1, |(key, _)| self.line(&key.span()));
            self.error(line, &format!("in [context]: {reason}"))
        })
    }

    fn store(
        &self,
        key: &Spanned<DeString>,
        value: &Spanned<DeValue>,
    ) -> Result<ContextModule, SettingsError> {
        let name = key.get_ref();
        let wrong = |reason: &str| {
            let reason = format!("the context store \"{name}\": {reason}");
            self.error(self.line(&value.span()), &reason)
        };
        let (mut module, mut interval) = (None, None);
        for (key, value) in self.table(key, value)? {
            let value = value.get_ref();
            let number = || match value {
                DeValue::Integer(number) => number.as_str().parse::<f64>().ok(),
                DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
                _ => None,
            };
            match &**key.get_ref() {
                "module" => module = value.as_str(),
                // Not a number is not a time either, which is said below.
                "interval" => interval = Some(number().unwrap_or(f64::NAN)),
                other => return Err(wrong(&format!("there is no \"{other}\"; there are {KEYS}"))),
            }
        }
        let module =
            module.ok_or_else(|| wrong("it needs module = \"memory\" or \"localfilesystem\""))?;
        ContextModule::named(module, interval).map_err(|reason| wrong(&reason))
    }
}
