//! What can be asked for on `/tap`.

use serde_json::{Map, Value as Json};

use super::{Connection, context, events::Watched, frame, frame::Request, messages, settings};
use crate::message::to_wire;

/// There without `--tap`, too: they look, or do what a wire could do.
const ALWAYS: [&str; 7] = [
    "hello",
    "watch",
    "batch",
    "node",
    "receive",
    "context.get",
    "context.keys",
];
const OPS: [&str; 14] = [
    "hello",
    "watch",
    "batch",
    "node",
    "receive",
    "call",
    "context.get",
    "context.set",
    "context.keys",
    "context.stores",
    "settings",
    "env",
    "stop",
    "reset",
];

/// What hands messages over, or has nothing to do with them; all else waits for those before it.
const DELIVER: [&str; 4] = ["hello", "watch", "batch", "receive"];

/// The members of an answer, or why there is none.
pub(super) type Outcome = Result<Map<String, Json>, String>;

/// An answer that says nothing but that it is done.
pub(super) fn done() -> Outcome {
    Ok(Map::new())
}

fn with(member: &str, value: Json) -> Outcome {
    Ok(Map::from_iter([(member.to_owned(), value)]))
}

/// Carries out a request. The answer is none when it has no id, or comes later.
pub(super) async fn carry_out(connection: &Connection, request: Request) -> Option<Json> {
    let id = request.get("id").cloned();
    if !DELIVER.contains(&op(&request)) {
        connection.catch_up().await;
    }
    let outcome = match op(&request) {
        "batch" => batch(connection, &request).await,
        // Closing may take long, and what comes next must not wait for it.
        "call" if connection.state.tap && method(&request) == "close" => {
            let (state, answers) = (connection.state.clone(), connection.answers.clone());
            connection.state.tasks.spawn(async move {
                let outcome = messages::close(&state, &request).await;
                if let Some(answer) = reply(id, outcome) {
                    // The client may be gone.
                    let _ = answers.send(answer.to_string()).await;
                }
            });
            return None;
        }
        _ => one(connection, &request).await,
    };
    reply(id, outcome)
}

fn reply(id: Option<Json>, outcome: Outcome) -> Option<Json> {
    let id = id?;
    Some(match outcome {
        Ok(members) => frame::answer(id, members),
        Err(error) => frame::refusal(id, &error),
    })
}

/// Several requests back to back: messages for nodes that follow each other reach them as one.
async fn batch(connection: &Connection, request: &Request) -> Outcome {
    let ops = request.get("ops").and_then(Json::as_array);
    let ops = ops.ok_or("\"ops\" is a list of requests")?;
    let mut first_error = None;
    let mut waiting = Vec::new();
    for request in ops {
        let Some(request) = request.as_object() else {
            first_error.get_or_insert("A request is a JSON object".to_owned());
            continue;
        };
        let outcome = match op(request) {
            "receive" => messages::read_receive(&connection.state, request)
                .map(|delivery| waiting.push(delivery)),
            op => {
                connection.deliver(std::mem::take(&mut waiting));
                connection.catch_up().await;
                match (op, method(request)) {
                    ("batch", _) => Err("A batch holds no further batch".to_owned()),
                    ("call", "close") if connection.state.tap => {
                        messages::close(&connection.state, request).await.map(drop)
                    }
                    _ => one(connection, request).await.map(drop),
                }
            }
        };
        if let Err(error) = outcome {
            first_error.get_or_insert(error);
        }
    }
    connection.deliver(waiting);
    first_error.map_or_else(done, Err)
}

/// One request that is neither a batch nor long.
async fn one(connection: &Connection, request: &Request) -> Outcome {
    let state = &connection.state;
    let op = op(request);
    if !OPS.contains(&op) {
        return Err(format!("unknown op {op}"));
    }
    if !state.tap && !ALWAYS.contains(&op) {
        return Err(format!(
            "{op} is there only when Flowrill is started with --tap"
        ));
    }
    match op {
        "hello" => Ok(Map::from_iter([
            ("contract".to_owned(), 1.into()),
            ("name".to_owned(), "flowrill".into()),
            ("version".to_owned(), env!("CARGO_PKG_VERSION").into()),
        ])),
        "watch" => watch(connection, request),
        "node" => {
            let props = state.runtime.engine().props(text(request, "node")?).await;
            let props = props.map(|props| to_wire(&props.into()));
            with("props", props.unwrap_or_default())
        }
        "receive" => {
            let delivery = messages::read_receive(state, request)?;
            connection.deliver(vec![delivery]);
            done()
        }
        "call" => messages::call(state, request),
        "context.get" => with("values", context::get(state, request)?),
        "context.set" => context::set(state, request),
        "context.keys" => with("values", context::keys(state, request)?),
        "context.stores" => context::stores(state, request).await,
        "settings" => settings::change(state, request),
        "env" => settings::env(state, request),
        "stop" => {
            state.runtime.stop_flows().await;
            done()
        }
        "reset" => context::reset(state),
        _ => Err(format!("unknown op {op}")),
    }
}

fn watch(connection: &Connection, request: &Request) -> Outcome {
    let watched = Watched::from_request(request)?;
    // Held while both change, so that the writing side never sees one without the other.
    let mut filters = connection.filters.lock();
    let seq = connection.watcher.watch(watched.interest());
    filters.change(seq, watched);
    done()
}

fn op(request: &Request) -> &str {
    request.get("op").and_then(Json::as_str).unwrap_or_default()
}

fn method(request: &Request) -> &str {
    let method = request.get("method");
    method.and_then(Json::as_str).unwrap_or_default()
}

/// A member that has to be text.
pub(super) fn text<'a>(request: &'a Request, member: &str) -> Result<&'a str, String> {
    let text = request.get(member).and_then(Json::as_str);
    text.ok_or_else(|| format!("\"{member}\" is missing, or no text"))
}
