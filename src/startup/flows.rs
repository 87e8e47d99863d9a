//! The flows that a start deploys: a file that was named, or the sample on the very first start.

use std::path::Path;

use super::StartError;
use crate::flow::Flows;

/// The sample, importable from the editor, too.
const FIRST_STEPS: &str = include_str!("../../flows/first-steps.json");

/// The flows of the file named by `--flows`.
///
/// # Errors
/// When it can't be read or is no flow file.
pub fn read_flows(path: &Path) -> Result<Flows, StartError> {
    let error = |reason: String| StartError::Flows {
        path: path.to_owned(),
        reason,
    };
    let text = std::fs::read_to_string(path).map_err(|reason| error(reason.to_string()))?;
    Flows::parse(&text).map_err(|reason| error(reason.trim_end_matches('.').to_owned()))
}

/// The sample flow of a first start. It reaches the built-in broker at `port`.
///
/// # Errors
/// Never for the file that is built in, which a test reads.
pub fn first_steps(port: Option<u16>) -> Result<Flows, StartError> {
    let mut flows = Flows::parse(FIRST_STEPS).map_err(StartError::Other)?;
    if let Some(port) = port {
        let brokers = flows
            .items
            .iter_mut()
            .filter(|item| item.get("type").is_some_and(|name| name == "mqtt-broker"));
        for broker in brokers {
            std::sync::Arc::make_mut(broker).insert("port".into(), port.to_string().into());
        }
    }
    Ok(flows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_tidy() {
        let flows = first_steps(Some(2883)).unwrap();
        let text = serde_json::to_string(&flows).unwrap();
        assert!(text.contains("\"port\":\"2883\""));
        let ids: Vec<_> = flows.items.iter().map(|item| item["id"].clone()).collect();
        for item in &flows.items {
            for axis in ["x", "y"] {
                let place = item.get(axis).and_then(serde_json::Value::as_u64);
                assert_eq!(place.unwrap_or(0) % 20, 0, "{item:?}");
            }
            let wires = item.get("wires").and_then(|wires| wires.as_array());
            let targets = wires
                .into_iter()
                .flatten()
                .filter_map(|port| port.as_array());
            for target in targets.flatten() {
                assert!(ids.contains(target), "{target}");
            }
        }
    }
}
