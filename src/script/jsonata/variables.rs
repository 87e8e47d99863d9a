//! Environment variables of type `jsonata`, and of type `date` with a format.

use std::{sync::Arc, time::Duration};

use super::{runtime::Runtime, surroundings::Surroundings};
use crate::{
    engine::Contexts,
    flow::{EnvExpressions, Environment},
    message::Value,
};

/// How long one variable may take to be worked out.
const LIMIT: Duration = Duration::from_secs(5);

/// Works out variables for `flow`. Their runtime is made when there is one of these types at all.
pub struct Variables {
    contexts: Arc<Contexts>,
    runtime: Runtime,
}

impl Variables {
    /// For flows with these contexts.
    pub fn new(contexts: Arc<Contexts>) -> Self {
        Self {
            contexts,
            runtime: Runtime::new(false),
        }
    }

    fn around(&self, env: &Environment) -> Surroundings {
        Surroundings::Level {
            env: env.clone(),
            contexts: self.contexts.clone(),
        }
    }
}

impl EnvExpressions for Variables {
    fn evaluate(&self, source: &str, around: &Environment) -> Result<Value, String> {
        let source = source.into();
        // As in Node-RED, there is no message to look at.
        self.runtime
            .evaluate(&source, &Value::Null, &[], self.around(around), LIMIT)
            .map_err(Into::into)
    }

    fn format_date(
        &self,
        unix_ms: f64,
        format: &str,
        around: &Environment,
    ) -> Result<String, String> {
        self.runtime
            .format_date(unix_ms, format, self.around(around), LIMIT)
            .map_err(Into::into)
    }
}
