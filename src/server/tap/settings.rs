//! Settings and environment variables, changed while flows run.

use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::{
    frame::Request,
    ops::{Outcome, done},
};
use crate::{
    engine::RuntimeSettings,
    message::{Value, from_wire},
    server::ServerState,
};

fn values(request: &Request) -> Result<&Map<String, Json>, String> {
    let values = request.get("values").and_then(Json::as_object);
    values.ok_or_else(|| "\"values\" is an object".to_owned())
}

/// The request `settings`
pub(super) fn change(state: &ServerState, request: &Request) -> Outcome {
    let engine = state.runtime.engine();
    let mut settings = (*engine.settings()).clone();
    for (name, value) in values(request)? {
        let value = from_wire(value)?;
        set(&mut settings, &state.first_settings, name, value)?;
    }
    let hidden = settings.env_var_excludes.clone();
    state.runtime.process_env().hide(hidden);
    engine.change_settings(settings);
    done()
}

/// Sets one; undefined goes back to what held at the start.
fn set(
    settings: &mut RuntimeSettings,
    first: &RuntimeSettings,
    name: &str,
    value: Value,
) -> Result<(), String> {
    let removed = value.is_undefined();
    let number = || {
        let number = value.to_number();
        let usable = number.is_finite() && number >= 0.0;
        usable
            .then_some(number)
            .ok_or_else(|| format!("\"{name}\" is a number, and not below 0"))
    };
    let count = |first: usize| match removed {
        true => Ok(first),
        false => number().map(|number| number as usize),
    };
    let time = |first: Duration, unit_s: f64| match removed {
        true => Ok(first),
        false => number().and_then(|number| {
            Duration::try_from_secs_f64(number * unit_s)
                .map_err(|_| format!("\"{name}\" is too long"))
        }),
    };
    match name {
        "nodeMessageBufferMaxLength" => {
            settings.message_buffer_max_length = count(first.message_buffer_max_length)?;
        }
        "debugMaxLength" => settings.debug_max_length = count(first.debug_max_length)?,
        "debugStatusLength" => settings.debug_status_length = count(first.debug_status_length)?,
        "globalFunctionTimeout" => {
            let limit = time(first.function_timeout, 1.0)?;
            // Node-RED's 0 is "none set"; a function without end is stopped all the same.
            settings.function_timeout = match limit.is_zero() {
                true => first.function_timeout,
                false => limit,
            };
        }
        "envVarExcludes" => {
            settings.env_var_excludes = match (removed, value) {
                (true, _) => first.env_var_excludes.clone(),
                (false, Value::Array(names)) => names.iter().map(Value::to_text).collect(),
                (false, _) => return Err(format!("\"{name}\" is a list of names")),
            };
        }
        "functionGlobalContext" => {
            settings.global_context = match (removed, value) {
                (true, _) => first.global_context.clone(),
                (false, Value::Object(seeds)) => seeds,
                (false, _) => return Err(format!("\"{name}\" is an object")),
            };
        }
        "exportGlobalContextKeys" => {
            settings.export_global_context_keys = match (removed, value) {
                (true, _) => first.export_global_context_keys,
                (false, value) => value != Value::Bool(false),
            };
        }
        "mqttReconnectTime" => settings.mqtt_reconnect = time(first.mqtt_reconnect, 0.001)?,
        "nodeCloseTimeout" => settings.close_timeout = time(first.close_timeout, 0.001)?,
        _ => match (removed, first.others.get(name)) {
            (false, _) => drop(settings.others.insert(name.to_owned(), value)),
            (true, Some(first)) => {
                settings.others.insert(name.to_owned(), first.clone());
            }
            (true, None) => drop(settings.others.remove(name)),
        },
    }
    Ok(())
}

/// The request `env`
pub(super) fn env(state: &ServerState, request: &Request) -> Outcome {
    let env = state.runtime.process_env();
    for (name, value) in values(request)? {
        let value = match value {
            Json::Null => None,
            Json::String(text) => Some(text.clone()),
            Json::Number(number) => Some(number.to_string()),
            Json::Bool(bool) => Some(bool.to_string()),
            _ => return Err(format!("\"{name}\" is a text, or null to remove it")),
        };
        env.set(name, value);
    }
    done()
}
