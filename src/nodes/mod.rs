//! The node types: one line each. A type's texts, properties and defaults stand in `nodes/<type>/`.

mod common;
mod function;
mod helper;
mod network;
mod own;
mod parser;
mod sequence;
mod shared;
mod storage;

use crate::{engine::Registry, services::Services};

pub use helper::register_helper;
pub use own::register_own;

use common::{
    Catch, Comment, Complete, Debug, Inject, Junction, LinkCall, LinkIn, LinkOut, PassOn, Status,
};
use network::{BrokerEvents, MqttBroker, MqttIn, MqttOut, TlsConfigNode};

/// Registers every built-in type.
pub fn register(registry: &mut Registry, services: &Services) {
    let mqtt = &services.mqtt;
    registry.add("inject", Inject::new);
    registry.add("debug", Debug::new);
    registry.add("complete", PassOn::new::<Complete>);
    registry.add("catch", PassOn::new::<Catch>);
    registry.add("status", PassOn::new::<Status>);
    registry.add("link in", PassOn::new::<LinkIn>);
    registry.add("link out", LinkOut::new);
    registry.add("link call", LinkCall::new);
    registry.add("comment", Comment::new);
    registry.add("unknown", Comment::new);
    registry.add("junction", PassOn::new::<Junction>);
    registry.add("global-config", Comment::new);
    registry.add("function", function::FunctionNode::new);
    registry.add("delay", function::Delay::new);
    registry.add("trigger", function::Trigger::new);
    registry.add("switch", function::Switch::new);
    registry.add("template", function::Template::new);
    registry.add("exec", function::Exec::new);
    registry.add("csv", parser::Csv::new);
    registry.add("html", parser::Html::new);
    registry.add("json", parser::Json::new);
    registry.add("xml", parser::Xml::new);
    registry.add("yaml", parser::Yaml::new);
    registry.add("change", function::Change::new);
    registry.add("range", function::Range::new);
    registry.add("rbe", function::Rbe::new);
    registry.add("split", sequence::Split::new);
    registry.add("join", sequence::Join::new);
    registry.add("sort", sequence::Sort::new);
    registry.add("batch", sequence::Batch::new);
    registry.add("file", storage::File::new);
    registry.add("file in", storage::FileIn::new);
    registry.add("watch", storage::Watch::new);
    registry.add_shared("tls-config", TlsConfigNode::new);
    let service = mqtt.clone();
    registry.add_shared("mqtt-broker", move |config, build| {
        MqttBroker::new(&service, config, build)
    });
    let service = mqtt.clone();
    registry.add("aedes broker", move |config, build| {
        BrokerEvents::aedes(&service, config, build)
    });
    let service = mqtt.clone();
    registry.add("mosca in", move |config, build| {
        BrokerEvents::mosca(&service, config, build)
    });
    let service = mqtt.clone();
    registry.add("mqtt in", move |config, build| {
        MqttIn::new(&service, config, build)
    });
    let service = mqtt.clone();
    registry.add("mqtt out", move |config, build| {
        MqttOut::new(&service, config, build)
    });
}
