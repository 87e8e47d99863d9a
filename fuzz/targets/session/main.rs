//! Clients of every kind against the real broker: it lives, and nobody gets what is not his.

#![no_main]

mod acknowledging;
mod connection;
mod model;
mod opening;
mod play;
mod sending;
mod steps;
mod wire;

use flowrill::broker::{Broker, BrokerConfig, LocalClient};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

use self::{play::Play, steps::Step};

const MOST_STEPS: usize = 64;

/// One broker for all inputs: each of them leaves it as it was.
struct World {
    runtime: Runtime,
    broker: Broker,
    /// A client in the broker's own process, whose messages tell that earlier ones have come through.
    probe: LocalClient,
}

impl World {
    fn new() -> Self {
        // Races need more than one thread, which makes what is found harder to do again.
        let mut builder = match std::env::var("THREADS").map(|count| count.parse()) {
            Ok(Ok(count)) => {
                let mut builder = Builder::new_multi_thread();
                builder.worker_threads(count);
                builder
            }
            _ => Builder::new_current_thread(),
        };
        let runtime = builder.enable_time().build().expect("a runtime");
        let config = BrokerConfig {
            max_inflight: 4,
            max_subscriptions: 6,
            ..BrokerConfig::default()
        };
        let broker = runtime.block_on(Broker::start(config)).expect("a broker");
        let (probe, _) = runtime
            .block_on(async { broker.connect_local("probe") })
            .expect("a client");
        Self {
            runtime,
            broker,
            probe,
        }
    }
}

thread_local! {
    static WORLD: World = World::new();
}

fuzz_target!(|steps: Vec<Step>| {
    WORLD.with(|world| {
        let mut play = Play::new(&world.broker, &world.probe);
        world.runtime.block_on(async {
            for step in steps.iter().take(MOST_STEPS) {
                play.step(step).await;
            }
            play.finish().await;
        });
    });
});
