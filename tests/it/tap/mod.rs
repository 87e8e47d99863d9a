//! The contract of `/tap` and of the admin API, checked from outside: each test starts the real binary and speaks to it
//! through its sockets.

mod admin;
mod calls;
mod context;
mod events;
mod loads;
mod ops;
mod process;
mod props;
mod settings;
mod shapes;
mod values;

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::support::process::Flowrill;

/// Long enough for a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(30);

/// A websocket whose frames are JSON.
struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Entries of a `/comms` frame that were not looked at.
    entries: VecDeque<Json>,
}

impl Socket {
    async fn open(base: &str, path: &str) -> Self {
        let address = format!("{}{path}", base.replacen("http", "ws", 1));
        Self {
            stream: connect_async(address).await.unwrap().0,
            entries: VecDeque::new(),
        }
    }

    async fn send(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// The next frame; none when the connection has ended.
    async fn next(&mut self) -> Option<Json> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            match frame.expect("no frame came") {
                Some(Ok(Message::Text(text))) => {
                    return Some(serde_json::from_str(&text).unwrap());
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next entry of `/comms` that has this topic. A heartbeat comes for ever, so the patience is for all of it.
    async fn topic(&mut self, topic: &str) -> Json {
        let looking = async {
            loop {
                while let Some(entry) = self.entries.pop_front() {
                    if entry["topic"] == topic {
                        return entry["data"].clone();
                    }
                }
                let frame = self.next().await.expect("the connection ended");
                self.entries = frame.as_array().cloned().unwrap_or_default().into();
            }
        };
        tokio::time::timeout(PATIENCE, looking)
            .await
            .expect("no entry came")
    }
}

/// A Flowrill that tests control, and a connection to its `/tap`.
struct Tap {
    process: Flowrill,
    socket: Socket,
    /// Events that came and were not looked at.
    events: VecDeque<Json>,
    answers: HashMap<u64, Json>,
    next: u64,
    http: reqwest::Client,
    folder: TempDir,
}

impl Tap {
    /// Starts with `--tap`, over a data folder that is not there yet.
    async fn start() -> Self {
        Self::start_with(&["--tap", "--lang", "cimode", "--no-broker"]).await
    }

    async fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Flowrill::start(&folder.path().join("data"), options);
        let socket = Socket::open(&process.http, "/tap").await;
        Self {
            process,
            socket,
            events: VecDeque::new(),
            answers: HashMap::new(),
            next: 1,
            http: reqwest::Client::new(),
            folder,
        }
    }

    /// Starts, and runs these nodes.
    async fn running(flows: Json) -> Self {
        let mut tap = Self::start().await;
        tap.deploy(flows).await;
        tap
    }

    /// The status and the body of an HTTP answer.
    async fn call_http(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Json,
    ) -> (u16, Json) {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.process.http));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Json::String(text)),
        )
    }

    async fn post(&self, path: &str, body: Json) -> u16 {
        self.call_http(Method::POST, path, &[], body).await.0
    }

    /// Posts flows as the contract has it.
    async fn post_flows(&self, body: Json, mode: &str) -> (u16, Json) {
        let headers = [
            ("Node-RED-API-Version", "v2"),
            ("Node-RED-Deployment-Type", mode),
        ];
        self.call_http(Method::POST, "/flows", &headers, body).await
    }

    /// Deploys flows; returns what the event says when they run.
    async fn deploy(&mut self, flows: Json) -> Json {
        self.deploy_body(json!({"flows": flows}), "full").await
    }

    async fn deploy_body(&mut self, body: Json, mode: &str) -> Json {
        let (status, answer) = self.post_flows(body, mode).await;
        assert_eq!(status, 200, "{answer}");
        let started = self.event(|event| event["ev"] == "flows").await;
        assert_eq!(started["rev"], answer["rev"]);
        started
    }

    /// Deploys flows, and leaves all that is told to be looked at.
    async fn deploy_quietly(&mut self, flows: Json) {
        let (status, answer) = self.post_flows(json!({"flows": flows}), "full").await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Sends a request, and returns the id under which it is answered.
    async fn request(&mut self, op: &str, mut fields: Json) -> u64 {
        let id = self.next;
        self.next += 1;
        fields["op"] = op.into();
        fields["id"] = id.into();
        self.socket.send(&fields.to_string()).await;
        id
    }

    async fn read(&mut self) {
        let mut frame = self.socket.next().await.expect("the connection ended");
        match frame["re"].as_u64() {
            Some(id) => {
                frame.as_object_mut().unwrap().shift_remove("re");
                self.answers.insert(id, frame);
            }
            None => self.events.push_back(frame),
        }
    }

    async fn answer(&mut self, id: u64) -> Json {
        loop {
            if let Some(answer) = self.answers.remove(&id) {
                return answer;
            }
            self.read().await;
        }
    }

    /// Carries out an operation.
    async fn ask(&mut self, op: &str, fields: Json) -> Json {
        let id = self.request(op, fields).await;
        self.answer(id).await
    }

    /// Carries out an operation that answers nothing but that it is done.
    async fn done(&mut self, op: &str, fields: Json) {
        let answer = self.ask(op, fields.clone()).await;
        assert_eq!(answer, json!({}), "{op} {fields}");
    }

    /// Why an operation is refused.
    async fn refused(&mut self, op: &str, fields: Json) -> String {
        let answer = self.ask(op, fields.clone()).await;
        assert_eq!(answer["error"]["$t"], "error", "{op} {fields} is {answer}");
        answer["error"]["message"].as_str().unwrap().to_owned()
    }

    async fn props(&mut self, node: &str) -> Json {
        self.ask("node", json!({"node": node})).await["props"].clone()
    }

    async fn receive(&mut self, node: &str, msg: Json) {
        self.done("receive", json!({"node": node, "msg": msg}))
            .await;
    }

    async fn call(&mut self, node: &str, method: &str, args: Json) {
        let fields = json!({"node": node, "method": method, "args": args});
        self.done("call", fields).await;
    }

    /// The next event for which this holds; those before it are passed over.
    async fn event(&mut self, wanted: impl Fn(&Json) -> bool) -> Json {
        loop {
            while let Some(event) = self.events.pop_front() {
                if wanted(&event) {
                    return event;
                }
            }
            self.read().await;
        }
    }

    /// The next message that arrives at a node.
    async fn input(&mut self, node: &str) -> Json {
        let event = self
            .event(|event| event["ev"] == "input" && event["node"] == node)
            .await;
        event["msg"].clone()
    }

    /// All events up to now. A message through a node of its own is the mark, which such a node has to be there for.
    async fn events_until_mark(&mut self, mark: &str) -> Vec<Json> {
        self.receive(mark, json!({"topic": "mark"})).await;
        let is_mark = |event: &Json| {
            event["ev"] == "input" && event["node"] == mark && event["msg"]["topic"] == "mark"
        };
        let mut seen = Vec::new();
        loop {
            while let Some(event) = self.events.pop_front() {
                if is_mark(&event) {
                    return seen;
                }
                seen.push(event);
            }
            self.read().await;
        }
    }
}

/// What the events are about, in few words: `input n1 payload`, `call n1 warn`, `log 30`.
fn outline(events: &[Json]) -> Vec<String> {
    let of = |value: &Json| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let outline = events
        .iter()
        .map(|event| match event["ev"].as_str().unwrap() {
            "input" => format!(
                "input {} {}",
                of(&event["node"]),
                of(&event["msg"]["payload"])
            ),
            "send" => format!(
                "send {} {} {}",
                of(&event["node"]),
                event["port"],
                of(&event["to"])
            ),
            "done" => format!("done {}", of(&event["node"])),
            "call" => format!("call {} {}", of(&event["node"]), of(&event["method"])),
            "log" => format!("log {} {}", event["rec"]["level"], of(&event["rec"]["msg"])),
            kind => format!("{kind} {}", of(&event["state"])),
        });
    outline.collect()
}

/// A node without a place, as tests of nodes deploy it.
fn node(id: &str, type_name: &str, wires: Json, config: Json) -> Json {
    let mut node = json!({"id": id, "type": type_name, "wires": wires});
    for (name, value) in config.as_object().into_iter().flatten() {
        node[name] = value.clone();
    }
    node
}

fn helper(id: &str) -> Json {
    json!({"id": id, "type": "helper", "wires": []})
}

fn undefined() -> Json {
    json!({"$t": "undefined"})
}
