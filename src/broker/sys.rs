//! `$SYS`: what the broker tells about itself, under Mosquitto's names and in its units.
//!
//! It costs nothing as long as nobody has subscribed there: the values are made at a subscription, and then every few seconds.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{
    codec::Qos,
    core::Core,
    counters::Counters,
    message::{Body, Origin, Publication},
};

/// How often the values are looked at, and published if they have changed (Mosquitto's `sys_interval`).
pub(super) const INTERVAL: Duration = Duration::from_secs(10);
const SPANS: [(&str, f64); 3] = [("1min", 60.0), ("5min", 300.0), ("15min", 900.0)];

/// The rates of a count per minute, smoothed over the three spans.
#[derive(Clone, Copy, Default)]
struct Load {
    before: u64,
    rates: [f64; 3],
}

/// What is known from the last time.
pub(super) struct Sys {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    looked: Option<Instant>,
    loads: [Load; LOADS.len()],
    most_clients: usize,
    told: HashMap<String, String>,
}

type Value = fn(&Counters) -> u64;

const LOADS: [(&str, Value); 9] = [
    ("messages/received", |counters| counters.packets_in.get()),
    ("messages/sent", |counters| counters.packets_out.get()),
    ("publish/dropped", |counters| counters.dropped.get()),
    ("publish/received", |counters| counters.received.get()),
    ("publish/sent", |counters| counters.delivered.get()),
    ("bytes/received", |counters| counters.bytes_in.get()),
    ("bytes/sent", |counters| counters.bytes_out.get()),
    ("sockets", |counters| counters.sockets.get()),
    ("connections", |counters| counters.connections.get()),
];

impl Sys {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            state: Mutex::default(),
        }
    }

    /// The values that have changed since the last time, by topic.
    fn changed(&self, core: &Core) -> Vec<(String, String)> {
        let (stats, counters) = (core.stats(), &core.counters);
        let shared = core.routes.lock().subscriptions.count_shared();
        let waiting: usize = core
            .sessions
            .all()
            .iter()
            .map(|session| session.waiting())
            .sum();
        let stored = (waiting + stats.retained) as u64;
        let mut state = self.state.lock();
        state.most_clients = state.most_clients.max(stats.clients);
        let idle = stats.sessions - stats.clients;
        let uptime = self.start.elapsed().as_secs();
        let mut values = vec![
            (
                "version".to_owned(),
                concat!("flowrill version ", env!("CARGO_PKG_VERSION")).to_owned(),
            ),
            ("uptime".into(), format!("{uptime} seconds")),
        ];
        let mut count = |name: &str, value: u64| values.push((name.to_owned(), value.to_string()));
        count("clients/total", stats.sessions as u64);
        count("clients/connected", stats.clients as u64);
        count("clients/active", stats.clients as u64);
        count("clients/disconnected", idle as u64);
        count("clients/inactive", idle as u64);
        count("clients/maximum", state.most_clients as u64);
        count("clients/expired", counters.expired.get());
        count("subscriptions/count", stats.subscriptions as u64);
        count("shared_subscriptions/count", shared as u64);
        count("retained messages/count", stats.retained as u64);
        count("messages/stored", stored);
        count("store/messages/count", stored);
        count("store/messages/bytes", core.memory.used() as u64);
        count("messages/received", counters.packets_in.get());
        count("messages/sent", counters.packets_out.get());
        count("bytes/received", counters.bytes_in.get());
        count("bytes/sent", counters.bytes_out.get());
        count("publish/messages/received", counters.received.get());
        count("publish/messages/sent", counters.delivered.get());
        count("publish/messages/dropped", counters.dropped.get());
        count("publish/bytes/received", counters.received_bytes.get());
        count("publish/bytes/sent", counters.delivered_bytes.get());
        for ((name, _), load) in LOADS.iter().zip(&state.loads) {
            for ((span, _), rate) in SPANS.iter().zip(load.rates) {
                values.push((format!("load/{name}/{span}"), format!("{rate:.2}")));
            }
        }
        values.retain(|(name, value)| state.told.get(name) != Some(value));
        state.told.extend(values.iter().cloned());
        values
    }

    /// Takes the counts of this moment into the rates.
    fn measure(&self, counters: &Counters) {
        let mut state = self.state.lock();
        let now = Instant::now();
        let since = state.looked.replace(now).unwrap_or(self.start);
        let seconds = now.duration_since(since).as_secs_f64().max(0.001);
        for ((_, value), load) in LOADS.iter().zip(&mut state.loads) {
            let count = value(counters);
            let rate = (count - load.before) as f64 * 60.0 / seconds;
            load.before = count;
            for ((_, span), smooth) in SPANS.iter().zip(&mut load.rates) {
                let weight = (-seconds / span).exp();
                *smooth = weight * *smooth + (1.0 - weight) * rate;
            }
        }
    }
}

impl Core {
    /// Takes the counts in, and publishes what has changed if somebody has subscribed to it.
    pub(super) async fn tell_of_itself(&self) {
        self.sys.measure(&self.counters);
        if !self.routes.lock().subscriptions.has_system() {
            return;
        }
        let changed = self.sys.changed(self).into_iter();
        let mut batch: VecDeque<_> = changed
            .map(|(name, value)| Arc::new(self.system_message(&name, &value)))
            .collect();
        self.bus.send(&mut batch).await;
    }

    /// Publishes one value.
    pub(super) async fn publish_system(&self, name: &str, value: &str) {
        self.publish(self.system_message(name, value)).await;
    }

    /// Has the values of this moment among the retained messages, for somebody who is about to subscribe to them.
    pub(super) fn prepare_system(&self) {
        for (name, value) in self.sys.changed(self) {
            let message = self.system_message(&name, &value);
            self.routes.lock().retained.store(&message);
        }
    }

    fn system_message(&self, name: &str, value: &str) -> Publication {
        let topic = format!("$SYS/broker/{name}");
        let body = Body::new(&topic, value.as_bytes());
        Publication::new(
            body,
            Qos::ExactlyOnce,
            true,
            None,
            Origin::Broker,
            &self.memory,
        )
    }
}
