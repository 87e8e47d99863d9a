//! Nodes that turn text into values and back.

mod csv;
mod html;
mod json;
mod xml;
mod yaml;

use flowrill::engine::LogLevel;
use serde_json::{Value as Json, json};

use crate::support::flows::{Seen, TestFlows, node, without_id};

/// What a node made of the messages it was given.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    sent: Vec<Json>,
    /// Texts of errors, and the messages as catch nodes get them, without the error.
    errors: Vec<(String, Json)>,
    warnings: Vec<String>,
    /// Statuses that are not empty.
    statuses: Vec<Json>,
    done: usize,
}

impl Outcome {
    /// The payloads of what was sent.
    fn payloads(&self) -> Vec<Json> {
        self.sent.iter().map(|msg| msg["payload"].clone()).collect()
    }

    /// The text of the only error; nothing was sent.
    fn error(&self) -> &str {
        assert_eq!(self.sent, [json!(null); 0], "{:?}", self.errors);
        assert_eq!(self.errors.len(), 1, "{self:?}");
        &self.errors[0].0
    }
}

/// A running node of one of these types.
struct Tested(TestFlows);

impl Tested {
    async fn new(type_name: &str, config: Json) -> Self {
        let mut tested = node("n", type_name, config);
        tested["wires"] = json!([["end"]]);
        let flows = json!([
            tested,
            node("end", "junction", json!({})),
            node(
                "done",
                "complete",
                json!({"scope": ["n"], "wires": [["heard"]]})
            ),
            node("heard", "junction", json!({})),
            node(
                "catch",
                "catch",
                json!({"scope": ["n"], "wires": [["caught"]]})
            ),
            node("caught", "junction", json!({})),
        ]);
        Self(TestFlows::run(flows).await)
    }

    async fn outcome(&mut self, msgs: &[Json]) -> Outcome {
        for msg in msgs {
            self.0.send("n", msg.clone());
        }
        let mut outcome = Outcome::default();
        for seen in self.0.settle().await {
            match seen {
                Seen::Got(id, msg) if id == "end" => outcome.sent.push(without_id(msg)),
                Seen::Got(id, _) if id == "heard" => outcome.done += 1,
                Seen::Got(id, mut msg) if id == "caught" => {
                    let error = msg["error"]["message"].as_str().unwrap().to_owned();
                    msg.as_object_mut().unwrap().remove("error");
                    outcome.errors.push((error, without_id(msg)));
                }
                Seen::Status(id, status) if id == "n" && status != json!({}) => {
                    outcome.statuses.push(status);
                }
                Seen::Log(id, level, text) if id == "n" && level == LogLevel::Warn as u8 => {
                    outcome.warnings.push(text.as_str().unwrap().to_owned());
                }
                _ => {}
            }
        }
        outcome
    }
}

/// Gives the messages to a new node, one after the other.
async fn run(type_name: &str, config: Json, msgs: &[Json]) -> Outcome {
    Tested::new(type_name, config).await.outcome(msgs).await
}
