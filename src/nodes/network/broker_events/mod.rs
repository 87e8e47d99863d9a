//! `aedes broker` and `mosca in`: in imported flows they were brokers of their own. Here the built-in broker listens at their
//! ports, knows their user, and what happens to its clients comes out of them in the same form.

mod words;

use std::time::Duration;

use serde::{Deserialize, de::IgnoredAny};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    broker::{Broker, ClientEvent, Happening, LocalClient, LocalReceiver},
    engine::{Build, Closing, ConfigError, Failed, Node, NodeContext, NodeError, Status},
    message::{Message, Object, Value},
    mqtt::{Mqtt, Qos, SubscribeOptions},
};
use words::Words;

/// Messages that are taken from the broker at once.
const BATCH: usize = 64;
/// The number of clients is shown at most this often.
const SHOW: Duration = Duration::from_millis(200);

/// The properties of `aedes broker`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct AedesConfig {
    mqtt_port: Option<f64>,
    mqtt_ws_bind: String,
    mqtt_ws_port: Option<f64>,
    mqtt_ws_path: String,
    usetls: bool,
    // The files of TLS and a database: what is told of them needs no more than `usetls`.
    #[serde(rename = "cert")]
    _cert: IgnoredAny,
    #[serde(rename = "key")]
    _key: IgnoredAny,
    #[serde(rename = "certname")]
    _certname: IgnoredAny,
    #[serde(rename = "keyname")]
    _keyname: IgnoredAny,
    #[serde(rename = "dburl")]
    _dburl: IgnoredAny,
}

/// The properties of `mosca in`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::nodes) struct MoscaConfig {
    mqtt_port: Option<f64>,
    mqtt_ws_port: Option<f64>,
    username: String,
    password: String,
    #[serde(rename = "dburl")]
    _dburl: IgnoredAny,
}

/// A running node.
pub(in crate::nodes) struct BrokerEvents {
    /// What is started; none once it is.
    run: Option<Run>,
    /// For `props`.
    shown: Object,
}

struct Run {
    broker: Option<Broker>,
    words: Words,
    ports: Vec<u16>,
    /// Name and password.
    user: Option<(String, String)>,
    /// Whether published messages are heard.
    hears_all: bool,
    /// What is not taken over: keys of texts.
    warnings: Vec<&'static str>,
}

impl BrokerEvents {
    #[expect(clippy::needless_pass_by_value, reason = "as all constructors are")]
    pub(in crate::nodes) fn aedes(
        mqtt: &Mqtt,
        config: AedesConfig,
        build: &Build,
    ) -> Result<Self, ConfigError> {
        let by_path = config.mqtt_ws_bind == "path";
        let credential = |name: &str| build.credentials.get(name).cloned().unwrap_or_default();
        let mut warnings = Vec::new();
        if config.usetls {
            warnings.push("tls");
        }
        if by_path && config.mqtt_ws_path.trim_matches('/') != "mqtt" {
            warnings.push("path");
        }
        let ws_port = config.mqtt_ws_port.filter(|_| !by_path);
        let shown = [
            (
                "mqtt_port",
                config.mqtt_port.map_or(Value::Null, Value::from),
            ),
            ("mqtt_ws_port", ws_port.map_or(Value::Null, Value::from)),
        ];
        Ok(Self {
            run: Some(Run {
                broker: mqtt.builtin().cloned(),
                words: Words::Aedes,
                ports: ports([config.mqtt_port.filter(|_| !config.usetls), ws_port]),
                user: user(credential("username"), credential("password")),
                hears_all: build.wires.get(1).is_some_and(|wires| !wires.is_empty()),
                warnings,
            }),
            shown: shown.into_iter().collect(),
        })
    }

    pub(in crate::nodes) fn mosca(
        mqtt: &Mqtt,
        config: MoscaConfig,
        build: &Build,
    ) -> Result<Self, ConfigError> {
        let shown = [
            (
                "mqtt_port",
                config.mqtt_port.map_or(Value::Null, Value::from),
            ),
            (
                "mqtt_ws_port",
                config.mqtt_ws_port.map_or(Value::Null, Value::from),
            ),
        ];
        Ok(Self {
            run: Some(Run {
                broker: mqtt.builtin().cloned(),
                words: Words::Mosca,
                ports: ports([config.mqtt_port, config.mqtt_ws_port]),
                user: user(config.username, config.password),
                hears_all: build.wires.iter().any(|wires| !wires.is_empty()),
                warnings: Vec::new(),
            }),
            shown: shown.into_iter().collect(),
        })
    }
}

fn ports(given: [Option<f64>; 2]) -> Vec<u16> {
    let is_port = |number: &f64| (1.0..=65_535.0).contains(number);
    let given = given.into_iter().flatten().filter(is_port);
    given.map(|number| number as u16).collect()
}

fn user(name: String, password: String) -> Option<(String, String)> {
    (!name.is_empty() && !password.is_empty()).then_some((name, password))
}

impl Node for BrokerEvents {
    fn on_start(&mut self, ctx: &NodeContext) -> Result<(), NodeError> {
        let Some(run) = self.run.take() else {
            return Ok(());
        };
        let Some(broker) = run.broker.clone() else {
            show(
                ctx,
                "red",
                "ring",
                "node-red:common.status.disconnected",
                &[],
            );
            return Err(ctx.text("no-broker", &[]).into());
        };
        let node = ctx.clone();
        ctx.spawn_service(async move { run.run(broker, node).await });
        Ok(())
    }

    fn on_input(&mut self, _msg: Message, _ctx: &NodeContext) -> Result<(), Failed> {
        Ok(())
    }

    fn on_close(&mut self, _removed: bool, _ctx: &NodeContext) -> Closing {
        Closing::Done
    }

    fn props(&self) -> Object {
        self.shown.clone()
    }
}

impl Run {
    /// Until the node is stopped, which drops all that it holds.
    async fn run(self, broker: Broker, ctx: NodeContext) {
        let events = broker.hear_clients();
        for warning in &self.warnings {
            ctx.warn(ctx.text(warning, &[]));
        }
        let _user = self.lend_user(&broker, &ctx).await;
        let mut lent = Vec::new();
        let mut is_open = true;
        for port in self.ports.iter().filter(|port| !broker.is_at_port(**port)) {
            match broker.lend_port(*port) {
                Ok(listener) => lent.push(listener),
                Err(error) => {
                    is_open = false;
                    ctx.error(error.to_string(), None);
                }
            }
        }
        let heard = match self.hears_all.then(|| listen(&broker, &ctx.info().id)) {
            Some(Ok(heard)) => Some(heard),
            Some(Err(error)) => {
                is_open = false;
                ctx.error(error, None);
                None
            }
            None => None,
        };
        match is_open {
            true => show(
                &ctx,
                "green",
                "dot",
                "node-red:common.status.connected",
                &[],
            ),
            false => show(
                &ctx,
                "red",
                "ring",
                "node-red:common.status.disconnected",
                &[],
            ),
        }
        let messages = async {
            if let Some((_client, receiver)) = heard {
                self.tell_messages(receiver, &ctx).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = self.tell_events(&broker, events, &ctx) => {}
            () = messages => {}
        }
    }

    async fn lend_user(
        &self,
        broker: &Broker,
        ctx: &NodeContext,
    ) -> Option<crate::broker::LentUser> {
        let (name, password) = self.user.clone()?;
        let broker = broker.clone();
        let lending = tokio::task::spawn_blocking(move || broker.lend_user(&name, &password));
        match lending.await {
            Ok(Ok(user)) => Some(user),
            Ok(Err(error)) => {
                ctx.warn(error);
                None
            }
            Err(_) => None,
        }
    }

    async fn tell_events(
        &self,
        broker: &Broker,
        mut events: Receiver<ClientEvent>,
        ctx: &NodeContext,
    ) {
        let mut count_due = None;
        loop {
            let due = async {
                match count_due {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                event = events.recv() => event,
                () = due => {
                    count_due = None;
                    let count = broker.connected().to_string();
                    show(ctx, "green", "dot", "connected", &[("count", &count)]);
                    continue;
                }
            };
            match event {
                Ok(event) => {
                    if self.words == Words::Aedes && changes_count(&event.what) {
                        count_due = count_due.or(Some(tokio::time::Instant::now() + SHOW));
                    }
                    ctx.ready().await;
                    for msg in self.words.messages(&event) {
                        ctx.send(msg);
                    }
                }
                Err(RecvError::Lagged(count)) => {
                    let count = count.to_string();
                    ctx.warn(ctx.text("lost", &[("count", &count)]));
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn tell_messages(&self, mut receiver: LocalReceiver, ctx: &NodeContext) {
        let port = usize::from(self.words == Words::Aedes);
        let mut batch = Vec::new();
        while receiver.receive(&mut batch, BATCH).await {
            for received in batch.drain(..) {
                ctx.ready().await;
                ctx.send_to(port, self.words.published(&received));
            }
        }
    }
}

fn listen(broker: &Broker, id: &str) -> Result<(LocalClient, LocalReceiver), String> {
    let both = broker.connect_local(&format!("events of {id}"));
    let (client, receiver) = both.map_err(|error| error.to_string())?;
    let options = SubscribeOptions {
        qos: Qos::ExactlyOnce,
        retain_as_published: true,
        // What was published before is no event.
        retain_handling: 2,
        ..SubscribeOptions::default()
    };
    let subscribed = client.subscribe("#", options);
    subscribed.map_err(|error| error.to_string())?;
    Ok((client, receiver))
}

fn changes_count(what: &Happening) -> bool {
    !matches!(
        what,
        Happening::Subscribed { .. } | Happening::Unsubscribed { .. }
    )
}

fn show(ctx: &NodeContext, fill: &str, shape: &str, key: &str, params: &[(&str, &str)]) {
    ctx.status(Status {
        fill: Some(fill.into()),
        shape: Some(shape.into()),
        text: Some(ctx.text(key, params).into()),
    });
}
