//! All bridges of one instance, which can change while it runs.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Bridge, BridgeConfig, BridgeError, BridgeInfo};
use crate::{broker::Broker, mqtt::Mqtt};

/// The bridges there are.
pub struct Bridges {
    mqtt: Arc<Mqtt>,
    broker: Broker,
    running: Mutex<Vec<Arc<Bridge>>>,
    /// Only one changes them at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Bridges {
    /// None so far.
    pub fn new(mqtt: Arc<Mqtt>, broker: Broker) -> Self {
        Self {
            mqtt,
            broker,
            running: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Whether these can be built.
    ///
    /// # Errors
    /// The first one that can't be.
    pub fn check(wanted: &[BridgeConfig]) -> Result<(), BridgeError> {
        wanted
            .iter()
            .try_for_each(|config| config.connect_options().map(drop))
    }

    /// Makes these the ones there are, all or none of them. Those that are as before go on; what waits for one that is gone is
    /// thrown away.
    ///
    /// # Errors
    /// The first one that can't be built.
    pub async fn set(&self, wanted: Vec<BridgeConfig>) -> Result<(), BridgeError> {
        Self::check(&wanted)?;
        let _changing = self.changing.lock().await;
        let before = self.running.lock().clone();
        let (kept, gone): (Vec<_>, Vec<_>) = before
            .into_iter()
            .partition(|bridge| wanted.contains(bridge.config()));
        self.running.lock().clone_from(&kept);
        for bridge in gone {
            bridge.stop().await;
        }
        let mut running = Vec::with_capacity(wanted.len());
        for config in wanted {
            let known = kept.iter().find(|bridge| *bridge.config() == config);
            running.push(match known {
                Some(bridge) => bridge.clone(),
                None => Arc::new(Bridge::start(config, &self.mqtt, &self.broker)?),
            });
        }
        Bridge::forget_others(&self.broker, &running);
        *self.running.lock() = running;
        Ok(())
    }

    /// How each does.
    pub fn list(&self) -> Vec<BridgeInfo> {
        let running = self.running.lock().clone();
        running.iter().map(|bridge| bridge.info()).collect()
    }

    /// Ends them in good order; what waits stays.
    pub async fn stop(&self) {
        let _changing = self.changing.lock().await;
        let running = std::mem::take(&mut *self.running.lock());
        futures_util::future::join_all(running.iter().map(|bridge| bridge.stop())).await;
    }
}
