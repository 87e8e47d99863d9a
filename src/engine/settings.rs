//! Settings of the runtime that nodes read, under Node-RED's names.

use std::{collections::BTreeMap, time::Duration};

use crate::message::{Object, Value};

/// What nodes may need to know. Durations are real ones; counts are counts.
#[derive(Clone, Debug, PartialEq)]
pub struct RuntimeSettings {
    /// `globalFunctionTimeout`: how long a function node may run when it names no limit of its own.
    pub function_timeout: Duration,
    /// `nodeMessageBufferMaxLength`: how many messages a node may hold; 0 is no limit.
    pub message_buffer_max_length: usize,
    /// `debugMaxLength`: characters, bytes or entries of a value that the debug panel gets.
    pub debug_max_length: usize,
    /// `debugStatusLength`: characters of a debug node's status.
    pub debug_status_length: usize,
    /// `mqttReconnectTime`: how long a lost connection waits before it tries again.
    pub mqtt_reconnect: Duration,
    /// `nodeCloseTimeout`: how long a node may take to close.
    pub close_timeout: Duration,
    /// `functionGlobalContext`: what the global context holds where nothing was stored.
    pub global_context: Object,
    /// `exportGlobalContextKeys`: whether a list of the global names has those of `functionGlobalContext`.
    pub export_global_context_keys: bool,
    /// `envVarExcludes`: variables of the process that flows do not see.
    pub env_var_excludes: Vec<String>,
    /// What was set besides, under its own name: settings that only some nodes know.
    pub others: BTreeMap<String, Value>,
}

impl Default for RuntimeSettings {
    fn default() -> Self {
        Self {
            function_timeout: Duration::from_secs(10),
            message_buffer_max_length: 0,
            debug_max_length: 1000,
            debug_status_length: 32,
            mqtt_reconnect: Duration::from_secs(5),
            close_timeout: Duration::from_secs(15),
            global_context: Object::new(),
            export_global_context_keys: true,
            env_var_excludes: Vec::new(),
            others: BTreeMap::new(),
        }
    }
}
