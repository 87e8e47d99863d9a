//! The flows that run, and the variables that hold in each of them and in their groups.

use std::collections::{BTreeMap, HashSet};

use indexmap::IndexMap;
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde_json::{Map, Value as Json};

use super::{CredentialsOf, FlowDef, GLOBAL, Graph, Records, is_true, text};
use crate::flow::{EnvScope, Environment, Id, Instance, ProcessEnv, env::Level, group::Groups};

/// The tabs of a flow file.
pub(super) struct Tabs<'a> {
    /// Those that run, after the global scope.
    pub(super) flows: IndexMap<Id, FlowDef, FxBuildHasher>,
    /// The ids of disabled tabs.
    pub(super) off: HashSet<&'a str>,
}

/// Reads the tabs and the global scope. Variables that are the same as in `before` stay the ones from there.
pub(super) fn tabs<'a>(
    records: &Records<'a>,
    process: &ProcessEnv,
    credentials: CredentialsOf,
    before: &Graph,
) -> Tabs<'a> {
    let outermost = before.outermost(process);
    let global_config = records
        .of_type("global-config")
        .find(|item| !is_true(item, "d"));
    let global = EnvScope::within(
        &outermost,
        Level {
            env: &[global_config.and_then(|item| item.get("env"))],
            secrets: global_config
                .and_then(|item| text(item, "id"))
                .map(|id| global_secrets(&credentials(id)))
                .unwrap_or_default(),
            own: Vec::new(),
        },
    );
    let mut tabs = Tabs {
        flows: IndexMap::default(),
        off: HashSet::new(),
    };
    let global = before.shared_env(GLOBAL, global);
    let whole = FlowDef {
        id: GLOBAL.into(),
        label: None,
        env: global.clone(),
        item: None,
    };
    tabs.flows.insert(GLOBAL.into(), whole);
    for item in records.of_type("tab") {
        let Some(id) = text(item, "id") else { continue };
        if is_true(item, "disabled") {
            tabs.off.insert(id);
            continue;
        }
        let label = text(item, "label").map(str::to_owned);
        let level = Level {
            own: vec![
                ("NR_FLOW_NAME", label.clone()),
                ("NR_FLOW_ID", Some(id.to_owned())),
            ],
            env: &[item.get("env")],
            secrets: credentials(id),
        };
        let tab = FlowDef {
            id: id.into(),
            label,
            env: before.shared_env(id, EnvScope::within(&global, level)),
            item: Some(item.clone()),
        };
        tabs.flows.insert(id.into(), tab);
    }
    tabs
}

/// A global-config node keeps its secrets in one object, `map`.
fn global_secrets(credentials: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let map = credentials
        .get("map")
        .and_then(|map| serde_json::from_str::<Map<String, Json>>(map).ok());
    map.into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
        .collect()
}

/// The variables of every flow and group, made when the first node asks.
pub(super) struct Scopes<'a> {
    flows: IndexMap<Id, FlowDef, FxBuildHasher>,
    instances: FxHashMap<Id, Environment>,
    groups: &'a Groups<'a>,
    in_groups: FxHashMap<Id, Environment>,
    credentials: CredentialsOf<'a>,
    before: &'a Graph,
}

impl<'a> Scopes<'a> {
    pub(super) fn new(
        flows: IndexMap<Id, FlowDef, FxBuildHasher>,
        groups: &'a Groups<'a>,
        credentials: CredentialsOf<'a>,
        before: &'a Graph,
    ) -> Self {
        Self {
            flows,
            instances: FxHashMap::default(),
            groups,
            in_groups: FxHashMap::default(),
            credentials,
            before,
        }
    }

    /// An instance of a subflow: its variables over those of the definition, over those of where it stands.
    pub(super) fn add_instance(&mut self, instance: &Instance) {
        let chain = self.groups.chain(instance.group.as_deref());
        let around = self.around(&instance.flow, &chain);
        let mut secrets = (self.credentials)(&instance.definition);
        secrets.extend((self.credentials)(&instance.alias));
        let level = Level {
            own: vec![
                ("NR_SUBFLOW_NAME", instance.name.clone()),
                ("NR_SUBFLOW_ID", Some(instance.id.to_string())),
                ("NR_SUBFLOW_PATH", Some(instance.path.clone())),
            ],
            env: &[instance.env[0].as_ref(), instance.env[1].as_ref()],
            secrets,
        };
        let env = EnvScope::within(&around, level);
        let env = self.before.shared_env(&instance.id, env);
        self.instances.insert(instance.id.clone(), env);
    }

    pub(super) fn is_instance(&self, id: &str) -> bool {
        self.instances.contains_key(id)
    }

    /// The variables in the innermost group of a chain, or in the flow when there is none.
    pub(super) fn around(&mut self, flow: &Id, chain: &[Id]) -> Environment {
        let Some((innermost, outer)) = chain.split_first() else {
            return self.in_flow(flow);
        };
        if let Some(env) = self.in_groups.get(innermost) {
            return env.clone();
        }
        let around = self.around(flow, outer);
        let item = self.groups.get(innermost);
        let name = item.and_then(|item| text(item, "name"));
        let level = Level {
            own: vec![
                ("NR_GROUP_NAME", name.map(str::to_owned)),
                ("NR_GROUP_ID", Some(innermost.to_string())),
            ],
            env: &[item.and_then(|item| item.get("env"))],
            secrets: (self.credentials)(innermost),
        };
        let env = EnvScope::within(&around, level);
        let env = self.before.shared_env(innermost, env);
        self.in_groups.insert(innermost.clone(), env.clone());
        env
    }

    fn in_flow(&mut self, flow: &Id) -> Environment {
        if let Some(env) = self.instances.get(flow) {
            return env.clone();
        }
        if let Some(tab) = self.flows.get(flow) {
            return tab.env.clone();
        }
        // Nodes may name a tab that is not in the file.
        let level = Level {
            own: vec![
                ("NR_FLOW_ID", Some(flow.to_string())),
                ("NR_FLOW_NAME", None),
            ],
            env: &[],
            secrets: Default::default(),
        };
        let env = EnvScope::within(&self.flows[GLOBAL].env, level);
        let env = self.before.shared_env(flow, env);
        let implied = FlowDef {
            id: flow.clone(),
            label: None,
            env: env.clone(),
            item: None,
        };
        self.flows.insert(flow.clone(), implied);
        env
    }

    /// The flows, and the variables within instances and groups.
    pub(super) fn finish(
        self,
    ) -> (
        IndexMap<Id, FlowDef, FxBuildHasher>,
        FxHashMap<Id, Environment>,
    ) {
        let mut inner = self.instances;
        inner.extend(self.in_groups);
        (self.flows, inner)
    }
}
