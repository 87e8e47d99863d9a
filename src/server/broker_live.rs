//! `WS /flowrill/broker/live`: what changes in the broker, told at most four times a second to those who look.
//!
//! A client says which branches of the topic tree it has open, and whether it looks at the clients. It hears first what
//! there is, and then what has changed since. Nothing is worked out while nobody looks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use axum::{
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use futures_util::{StreamExt, stream::SplitStream};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::{
    ServerState,
    broker::broker,
    error::ApiError,
    sockets::{self, Ending},
};
use crate::broker::{Branch, Broker, Child, ClientInfo};

/// The least time between two messages about topics.
const PAUSE: Duration = Duration::from_millis(250);
/// How often clients and counts are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Branches that one client may have open.
const MOST_BRANCHES: usize = 500;
/// Clients that are told, the first ones by name.
const MOST_CLIENTS: usize = 1000;
const MAX_MESSAGE: usize = 256 << 10;

/// What a client looks at; each message takes the place of the one before.
#[derive(Default, Deserialize)]
#[serde(default)]
struct View {
    /// Branches of the topic tree: `""` is the root, `"site/"` what stands below `site`.
    branches: BTreeSet<String>,
    clients: bool,
}

/// What the client knows.
#[derive(Default)]
struct Told {
    branches: HashMap<String, BTreeMap<String, u64>>,
    clients: BTreeMap<String, ClientInfo>,
    stats: Value,
}

/// What has changed below one branch.
#[derive(Serialize)]
struct BranchChange {
    children: Vec<Child>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gone: Vec<String>,
    more: usize,
}

/// `GET /flowrill/broker/live`
pub(super) async fn connect(
    State(state): State<ServerState>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let broker = broker(&state)?.clone();
    let for_socket = state.clone();
    sockets::accept(upgrade, &state, MAX_MESSAGE, move |socket| {
        talk(socket, for_socket, broker)
    })
}

async fn talk(socket: WebSocket, state: ServerState, broker: Broker) {
    let (mut sender, mut receiver) = socket.split();
    let mut view = View::default();
    let mut told = Told::default();
    let mut changes = broker.watch_topics();
    let (mut next, mut has_changed) = (Instant::now(), false);
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            biased;
            () = state.shutdown.cancelled() => return sockets::end(sender, Ending::Stopping).await,
            heard = hear(&mut receiver) => match heard {
                None => return,
                Some(Ok(wanted)) => {
                    told.branches.retain(|branch, _| wanted.branches.contains(branch));
                    view = wanted;
                    topics(&broker, &view, &mut told)
                }
                Some(Err(error)) => Some(json!({ "error": error })),
            },
            change = changes.changed(), if !has_changed && !view.branches.is_empty() => {
                // Without the broker there is nothing to tell.
                if change.is_err() {
                    return sockets::end(sender, Ending::Stopping).await;
                }
                has_changed = true;
                None
            }
            () = sleep_until(next), if has_changed => {
                has_changed = false;
                next = Instant::now() + PAUSE;
                topics(&broker, &view, &mut told)
            }
            _ = looks.tick() => clients(&broker, &view, &mut told),
        };
        let Some(message) = message else { continue };
        if sockets::send(&mut sender, message.to_string())
            .await
            .is_err()
        {
            return sockets::end(sender, Ending::TooSlow).await;
        }
    }
}

/// What the client says next; none when it is gone.
async fn hear(receiver: &mut SplitStream<WebSocket>) -> Option<Result<View, String>> {
    loop {
        let text = match receiver.next().await? {
            Ok(Message::Text(text)) => text,
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => continue,
        };
        let view = serde_json::from_str::<View>(&text).map_err(|error| {
            format!("{{\"branches\": [\"\", \"site/\"], \"clients\": true}} is expected: {error}")
        });
        return Some(
            view.and_then(|view| match view.branches.len() > MOST_BRANCHES {
                true => Err(format!("At most {MOST_BRANCHES} branches can be open")),
                false => Ok(view),
            }),
        );
    }
}

/// What has changed in the open branches.
fn topics(broker: &Broker, view: &View, told: &mut Told) -> Option<Value> {
    let names: Vec<&str> = view.branches.iter().map(String::as_str).collect();
    let branches = broker.branches(&names);
    let mut changes = Map::new();
    for (name, branch) in names.into_iter().zip(branches) {
        let is_new = !told.branches.contains_key(name);
        let known = told.branches.entry(name.to_owned()).or_default();
        let change = changed(branch, known);
        if is_new || !change.children.is_empty() || !change.gone.is_empty() {
            changes.insert(name.to_owned(), json!(change));
        }
    }
    (!changes.is_empty()).then(|| json!({ "branches": changes }))
}

fn changed(branch: Branch, known: &mut BTreeMap<String, u64>) -> BranchChange {
    let now: BTreeMap<String, u64> = branch
        .children
        .iter()
        .map(|child| (child.name.clone(), child.change))
        .collect();
    let gone = known.keys().filter(|name| !now.contains_key(*name));
    let gone = gone.cloned().collect();
    let is_changed = |child: &Child| known.get(&child.name) != Some(&child.change);
    let children = branch.children.into_iter().filter(is_changed).collect();
    *known = now;
    BranchChange {
        children,
        gone,
        more: branch.more,
    }
}

/// What has changed of the counts and, if they are looked at, of the clients.
fn clients(broker: &Broker, view: &View, told: &mut Told) -> Option<Value> {
    let mut message = Map::new();
    let stats = json!(broker.stats());
    if stats != told.stats {
        message.insert("stats".into(), stats.clone());
        told.stats = stats;
    }
    if view.clients {
        let clients = broker.clients();
        let more = clients.len().saturating_sub(MOST_CLIENTS);
        let now: BTreeMap<String, ClientInfo> = clients
            .into_iter()
            .take(MOST_CLIENTS)
            .map(|client| (client.id.clone(), client))
            .collect();
        let changed: Vec<&ClientInfo> = now
            .iter()
            .filter(|(id, client)| told.clients.get(*id) != Some(client))
            .map(|(_, client)| client)
            .collect();
        let gone: Vec<&String> = told
            .clients
            .keys()
            .filter(|id| !now.contains_key(*id))
            .collect();
        if !changed.is_empty() || !gone.is_empty() {
            let change = json!({ "changed": changed, "gone": gone, "more": more });
            message.insert("clients".into(), change);
        }
        told.clients = now;
    } else {
        told.clients.clear();
    }
    (!message.is_empty()).then_some(Value::Object(message))
}
