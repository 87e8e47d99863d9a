//! `range`: maps a number from one range to another (Node-RED's range node).

use serde::Deserialize;

use crate::{
    engine::{Build, ConfigError, Failed, LogLevel, Node, NodeContext},
    message::{Message, Value, round},
    nodes::shared::property::MessageProperty,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::nodes) struct RangeConfig {
    minin: Option<f64>,
    maxin: Option<f64>,
    minout: Option<f64>,
    maxout: Option<f64>,
    action: String,
    round: bool,
    property: String,
}

/// What happens to a number outside the input range.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Action {
    Scale,
    Clamp,
    Roll,
    Drop,
}

/// The arithmetic: no node in it.
#[derive(Clone, Copy, Debug)]
struct Mapping {
    minin: f64,
    maxin: f64,
    minout: f64,
    maxout: f64,
    action: Action,
    round: bool,
}

/// A running range node.
pub(in crate::nodes) struct Range {
    property: MessageProperty,
    mapping: Mapping,
}

impl Range {
    /// Reads the ranges. A field that is no number makes every result NaN, as in Node-RED.
    pub(in crate::nodes) fn new(config: RangeConfig, _build: &Build) -> Result<Self, ConfigError> {
        Ok(Self {
            mapping: Mapping::new(&config),
            property: MessageProperty::new(config.property),
        })
    }
}

impl Mapping {
    fn new(config: &RangeConfig) -> Self {
        let number = |given: Option<f64>| given.unwrap_or(f64::NAN);
        let mut mapping = Self {
            minin: number(config.minin),
            maxin: number(config.maxin),
            minout: number(config.minout),
            maxout: number(config.maxout),
            action: match config.action.as_str() {
                "clamp" => Action::Clamp,
                "roll" => Action::Roll,
                "drop" => Action::Drop,
                _ => Action::Scale,
            },
            round: config.round,
        };
        if mapping.minin > mapping.maxin {
            std::mem::swap(&mut mapping.minin, &mut mapping.maxin);
            std::mem::swap(&mut mapping.minout, &mut mapping.maxout);
        }
        if mapping.round {
            mapping.maxout = mapping.maxout.floor();
            mapping.minout = mapping.minout.ceil();
        }
        mapping
    }

    /// The number in the target range; none when it is to be dropped.
    fn apply(&self, mut number: f64) -> Option<f64> {
        let outside = number < self.minin || number > self.maxin;
        match self.action {
            Action::Drop if outside => return None,
            Action::Clamp if number < self.minin => number = self.minin,
            Action::Clamp if number > self.maxin => number = self.maxin,
            Action::Roll => {
                let width = self.maxin - self.minin;
                number = ((number - self.minin) % width + width) % width + self.minin;
            }
            _ => {}
        }
        let share = (number - self.minin) / (self.maxin - self.minin);
        let mapped = share * (self.maxout - self.minout) + self.minout;
        Some(if self.round { round(mapped) } else { mapped })
    }
}

impl Node for Range {
    fn on_input(&mut self, mut msg: Message, ctx: &NodeContext) -> Result<(), Failed> {
        let value = match self.property.get(&msg) {
            Ok(value) => value,
            // As in Node-RED, the node is never done with a message that has no place for the property.
            Err(error) => {
                ctx.error(error, Some(&msg));
                return Ok(());
            }
        };
        if value.is_undefined() {
            ctx.send_done(msg);
            return Ok(());
        }
        let number = value.to_number();
        if number.is_nan() {
            let text = ctx.text("range.errors.notnumber", &[]);
            ctx.log(LogLevel::Info, format!("{text}: {}", value.text()));
            ctx.completion(&msg).done();
            return Ok(());
        }
        let Some(mapped) = self.mapping.apply(number) else {
            ctx.completion(&msg).done();
            return Ok(());
        };
        if let Err(error) = self.property.set(&mut msg, Value::Number(mapped)) {
            ctx.error(error, Some(&msg));
        } else {
            ctx.send_done(msg);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(ranges: [f64; 4], action: &str, round: bool) -> Mapping {
        let [minin, maxin, minout, maxout] = ranges.map(Some);
        Mapping::new(&RangeConfig {
            minin,
            maxin,
            minout,
            maxout,
            action: action.into(),
            round,
            property: "payload".into(),
        })
    }

    #[test]
    fn numbers_are_mapped_as_in_node_red() {
        let percent = [0.0, 100.0, 0.0, 1000.0];
        for (ranges, action, round, number, expected) in [
            (percent, "scale", false, 50.0, Some(500.0)),
            (percent, "scale", false, 120.0, Some(1200.0)),
            (percent, "clamp", false, 120.0, Some(1000.0)),
            (percent, "clamp", false, -1.0, Some(0.0)),
            (percent, "drop", false, 101.0, None),
            (percent, "drop", false, 100.0, Some(1000.0)),
            (percent, "roll", false, 120.0, Some(200.0)),
            (percent, "roll", false, -1.0, Some(990.0)),
            (percent, "roll", false, 100.0, Some(0.0)),
            ([100.0, 0.0, 0.0, 1.0], "scale", false, 25.0, Some(0.75)),
            ([0.0, 10.0, 100.0, 0.0], "clamp", false, 2.0, Some(80.0)),
            ([0.0, 10.0, 0.2, 4.8], "scale", true, 10.0, Some(4.0)),
            ([0.0, 10.0, 0.2, 4.8], "scale", true, 0.0, Some(1.0)),
            ([0.0, 2.0, 0.0, 5.0], "scale", true, 1.0, Some(3.0)),
        ] {
            let result = mapping(ranges, action, round).apply(number);
            assert_eq!(result, expected, "{ranges:?} {action} {round} {number}");
        }
        assert!(
            mapping([5.0, 5.0, 0.0, 1.0], "roll", false)
                .apply(7.0)
                .is_some_and(f64::is_nan)
        );
    }
}
