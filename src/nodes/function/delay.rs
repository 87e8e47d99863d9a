//! `delay`: holds messages back, or lets only so many through (Node-RED's delay node).

use serde::Deserialize;

use super::{
    delay_burst::Burst,
    delay_each::{Each, Wait},
    delay_pace::Pace,
    delay_rate::{RateDrop, RateQueue},
    delay_topics::Topics,
};
use crate::{
    engine::{AnyEvent, Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError, Status},
    message::{Message, Object},
};

const SECOND_MS: f64 = 1000.0;
const MINUTE_MS: f64 = 60.0 * SECOND_MS;
const HOUR_MS: f64 = 60.0 * MINUTE_MS;
const DAY_MS: f64 = 24.0 * HOUR_MS;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct DelayConfig {
    pause_type: String,
    timeout: Option<f64>,
    timeout_units: String,
    rate: Option<f64>,
    nb_rate_units: Option<f64>,
    rate_units: String,
    random_first: Option<f64>,
    random_last: Option<f64>,
    random_units: String,
    drop: bool,
    allowrate: bool,
    outputs: Option<f64>,
}

/// The times of a delay node in milliseconds; NaN where the setting is no number, as in Node-RED.
#[derive(Clone, Copy)]
struct Times {
    timeout: f64,
    /// Between two messages.
    rate: f64,
    /// The window of the burst mode.
    window: f64,
    random_first: f64,
    random_last: f64,
}

impl Times {
    fn of(config: &DelayConfig) -> Self {
        let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let per = rate_unit_ms(&config.rate_units);
        let units = number(config.nb_rate_units);
        let random = wait_unit_ms(&config.random_units);
        Self {
            timeout: number(config.timeout) * wait_unit_ms(&config.timeout_units),
            rate: per / number(config.rate) * if units > 0.0 { units } else { 1.0 },
            window: units * per,
            random_first: number(config.random_first) * random,
            random_last: number(config.random_last) * random,
        }
    }
}

fn wait_unit_ms(unit: &str) -> f64 {
    match unit {
        "milliseconds" => 1.0,
        "minutes" => MINUTE_MS,
        "hours" => HOUR_MS,
        "days" => DAY_MS,
        _ => SECOND_MS,
    }
}

fn rate_unit_ms(unit: &str) -> f64 {
    match unit {
        "minute" => MINUTE_MS,
        "hour" => HOUR_MS,
        "day" => DAY_MS,
        _ => SECOND_MS,
    }
}

/// A running delay node.
pub(in crate::nodes) struct Delay {
    /// None for a kind that does not exist: messages end here, as in Node-RED.
    pace: Option<Box<dyn Pace>>,
    times: Times,
}

impl Delay {
    /// Chooses what is done with messages.
    pub(in crate::nodes) fn new(config: DelayConfig, _build: &Build) -> Result<Self, ConfigError> {
        let times = Times::of(&config);
        let two_outputs = config.outputs == Some(2.0);
        let wait = |wait| -> Box<dyn Pace> { Box::new(Each::new(wait)) };
        let topics = |all| -> Box<dyn Pace> {
            Box::new(Topics::new(times.rate, config.allowrate, all, two_outputs))
        };
        let kind = config.pause_type;
        let pace: Option<Box<dyn Pace>> = match kind.as_str() {
            "delay" => Some(wait(Wait::Fixed(times.timeout))),
            "delayv" => Some(wait(Wait::Variable(times.timeout))),
            "random" => Some(wait(Wait::Random {
                first: times.random_first,
                difference: times.random_last - times.random_first,
                shown: times.timeout >= SECOND_MS,
            })),
            "rate" if config.drop => Some(Box::new(RateDrop::new(
                times.rate,
                config.allowrate,
                two_outputs,
            ))),
            "rate" => Some(Box::new(RateQueue::new(times.rate, config.allowrate))),
            "burst" => Some(Box::new(Burst::new(
                config.rate.unwrap_or(f64::NAN),
                times.window,
                two_outputs,
            ))),
            "queue" => Some(topics(false)),
            "timed" => Some(topics(true)),
            _ => None,
        };
        Ok(Self { pace, times })
    }
}

impl Node for Delay {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        if let Some(pace) = &mut self.pace {
            pace.start(ctx);
        }
        Ok(())
    }

    fn on_input(&mut self, msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        if let Some(pace) = &mut self.pace {
            pace.take(msg, ctx);
        }
        Ok(())
    }

    fn on_event(&mut self, event: AnyEvent, ctx: &NodeContext) {
        if let Some(pace) = &mut self.pace {
            pace.on_event(&*event, ctx);
        }
    }

    fn on_close(&mut self, _removed: bool, ctx: &NodeContext) -> Closing {
        if let Some(pace) = &mut self.pace {
            pace.drop_all();
            ctx.status(Status::default());
        }
        Closing::Done
    }

    fn props(&self) -> Object {
        let times = &self.times;
        [
            ("timeout", times.timeout),
            ("rate", times.rate),
            ("timer", times.window),
            ("randomFirst", times.random_first),
            ("randomLast", times.random_last),
            ("diff", times.random_last - times.random_first),
        ]
        .into_iter()
        .map(|(name, ms)| (name, ms.into()))
        .collect()
    }
}
