//! Values and what `util.inspect` of Node.js 24 makes of them.

use serde_json::Value as Json;

use super::*;
use crate::message::from_wire;

#[test]
fn values_read_as_in_node_js() {
    let cases: Vec<(Json, String)> =
        serde_json::from_str(include_str!("node_values.json")).unwrap();
    for (value, text) in cases {
        assert_eq!(inspect(&from_wire(&value).unwrap(), 2), text, "{value}");
    }
}

#[test]
fn the_depth_is_bounded() {
    let mut value = Value::from(1);
    for _ in 0..400 {
        value = Value::from(vec![value]);
    }
    assert!(inspect(&value, 1_000).len() < 500_000);
    assert_eq!(inspect(&value, 1), "[ [ [Array] ] ]");
}
