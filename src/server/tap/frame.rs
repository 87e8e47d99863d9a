//! The frames of `/tap`: requests as they come in, answers and refusals as they go out.

use serde::Deserialize;
use serde_json::{Map, Number, Value as Json, json};

use crate::message::MAX_DEPTH;

/// What goes around a value: the request, a batch, arguments.
const FRAME_DEPTH: usize = 12;
/// A tagged value takes two levels for one.
const LEVELS: usize = 2;

/// A request: its members, `op` and `id` among them.
pub(super) type Request = Map<String, Json>;

/// Reads a request. Values may be nested as deep as messages may be, and no deeper.
pub(super) fn parse(text: &str) -> Result<Request, String> {
    if depth(text) > MAX_DEPTH * LEVELS + FRAME_DEPTH {
        return Err(format!(
            "The request is nested deeper than {MAX_DEPTH} levels"
        ));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let parsed = Json::deserialize(&mut reader).and_then(|json| reader.end().map(|()| json));
    match parsed {
        Ok(Json::Object(request)) => Ok(request),
        Ok(_) => Err("A request is a JSON object".into()),
        Err(error) => Err(format!("The request is not valid JSON: {error}")),
    }
}

/// The id of a request that is refused as a whole, however deep the rest of it is; null where none can be read.
pub(super) fn id_of(text: &str) -> Json {
    #[derive(Deserialize)]
    struct Refused {
        id: Option<Number>,
    }
    let id = serde_json::from_str::<Refused>(text)
        .ok()
        .and_then(|refused| refused.id);
    id.map_or(Json::Null, Json::Number)
}

/// How deep the brackets of a JSON text are nested.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in text.bytes() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The answer to a request.
pub(super) fn answer(re: Json, members: Map<String, Json>) -> Json {
    let mut answer = Map::new();
    answer.insert("re".into(), re);
    answer.extend(members);
    Json::Object(answer)
}

/// The answer to a request that can't be carried out.
pub(super) fn refusal(re: Json, message: &str) -> Json {
    let error = json!({ "$t": "error", "name": "Error", "message": message });
    answer(re, Map::from_iter([("error".to_owned(), error)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_does_not_count_text() {
        for (text, expected) in [
            ("1", 0),
            (r#"{"a":[1]}"#, 2),
            (r#"["[[[\"[[["]"#, 1),
            (r#"[{},{"a":{}}]"#, 3),
        ] {
            assert_eq!(depth(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_nested_without_end_is_refused() {
        let text = "[".repeat(100_000);
        assert!(parse(&text).unwrap_err().contains("nested deeper"));
        assert!(parse("[]").is_err());
        assert!(parse("{\"op\":").unwrap_err().contains("line 1"));
        assert_eq!(parse(r#"{"op":"hello"}"#).unwrap().len(), 1);
    }
}
