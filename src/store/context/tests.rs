//! What comes back after a restart, what is written and when, and what damage does.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use serde_json::{Value as Json, json};

use super::{disk::MAX_VALUE, *};
use crate::{
    message::{from_wire, to_wire},
    store::database::ValueChange,
};

fn path(text: &str) -> PropertyPath {
    PropertyPath::parse(text).unwrap()
}

fn open(folder: &Path) -> DiskContext {
    let (store, notices) = DiskContext::open(&folder.join("c.sled")).unwrap();
    assert_eq!(notices, Vec::<String>::new());
    store
}

fn set(store: &DiskContext, scope: &str, key: &str, value: impl Into<Json>) {
    store.set(scope, &path(key), from_wire(&value.into()).unwrap());
}

fn get(store: &DiskContext, scope: &str, key: &str) -> Json {
    to_wire(&store.get(scope, &path(key)))
}

/// The bytes in the folder's files, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().unwrap().is_dir() {
            all.extend(files(&entry.path()));
        } else {
            all.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    all
}

#[test]
fn every_kind_of_value_comes_back_as_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let deep = (0..200).fold(json!(1), |value, _| json!([value]));
    let values = [
        json!(null),
        json!(true),
        json!(-1.5e-7),
        json!({"$t": "number", "v": "NaN"}),
        json!({"$t": "number", "v": "-0"}),
        json!("Grüße, 🎉 \u{0}"),
        json!({"$t": "buffer", "v": "AQID"}),
        json!({"$t": "date", "v": 1_700_000_000_123_i64}),
        json!({"$t": "date", "v": null}),
        json!({"$t": "bigint", "v": "123456789012345678901"}),
        json!({"$t": "regexp", "v": "a+", "flags": "i"}),
        json!({"$t": "map", "v": [[1, {"$t": "set", "v": ["x"]}]]}),
        json!({"$t": "error", "name": "TypeError", "message": "no", "props": {"code": "E"}}),
        json!({"$t": "typedarray", "kind": "Uint16Array", "v": "AQI="}),
        json!({"b": 1, "a": [{"$t": "undefined"}, {"$t": "object", "v": {"$t": "mine"}}]}),
        json!({"self": {"$t": "ref", "v": ""}}),
        json!("x".repeat(200_000)),
        json!(""),
        deep,
    ];
    let store = open(folder.path());
    for (index, value) in values.iter().enumerate() {
        set(&store, "t", &format!("v{index}"), value.clone());
    }
    store.flush();
    drop(store);
    let store = open(folder.path());
    for (index, value) in values.iter().enumerate() {
        let found = get(&store, "t", &format!("v{index}"));
        assert_eq!(found.to_string(), value.to_string());
    }
}

#[test]
fn scopes_names_and_their_order_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for name in ["zebra", "apple", "mango"] {
        set(&store, "global", name, json!(name));
    }
    set(&store, "n:t", "a.b[2]", json!(7));
    set(&store, "t", "gone", json!(1));
    set(&store, "removed:t", "x", json!(1));
    store.flush();
    set(&store, "global", "apple", json!("changed"));
    set(&store, "global", "kiwi", json!("new"));
    set(&store, "t", "gone", json!({"$t": "undefined"}));
    store.retain(&|scope| scope != "removed:t");
    store.flush();
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.keys("global"), ["zebra", "apple", "mango", "kiwi"]);
    assert_eq!(get(&store, "global", "apple"), "changed");
    assert_eq!(get(&store, "n:t", "a.b[2]"), 7);
    assert!(store.keys("t").is_empty() && store.keys("removed:t").is_empty());
    store.clear();
    store.flush();
    drop(store);
    assert!(open(folder.path()).keys("global").is_empty());
}

#[test]
fn a_value_that_shrinks_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for length in [300_000, 10, 70_000, 0] {
        set(&store, "t", "text", json!("x".repeat(length)));
        store.flush();
    }
    drop(store);
    let store = open(folder.path());
    assert_eq!(get(&store, "t", "text"), "");
    let (_, damaged) = store.disk.lock().database.load().unwrap();
    assert_eq!(damaged, 0);
}

#[test]
fn nothing_is_written_when_nothing_changed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    set(&store, "t", "a", json!({"deep": [1, 2, 3]}));
    store.flush();
    let before = files(folder.path());
    for _ in 0..3 {
        set(&store, "t", "a", json!({"deep": [1, 2, 3]}));
        set(&store, "t", "b", json!(1));
        set(&store, "t", "b", json!({"$t": "undefined"}));
        store.flush();
    }
    assert!(before == files(folder.path()));
}

#[tokio::test(start_paused = true)]
async fn changes_are_written_at_the_interval_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    store.write_behind(Duration::from_secs(30));
    let stored = || store.disk.lock().stored.len();
    set(&store, "t", "a", json!(1));
    tokio::time::sleep(Duration::from_secs(29)).await;
    set(&store, "t", "b", json!(2));
    assert_eq!(stored(), 0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    // The writing itself is done on another thread.
    while stored() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    set(&store, "t", "c", json!(3));
    while stored() < 3 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A value that no file can hold.
#[derive(Debug)]
struct Function;

impl crate::message::OpaqueValue for Function {
    fn type_name(&self) -> &str {
        "function"
    }
    fn get(&self, _key: &str) -> Option<Value> {
        None
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

#[test]
fn what_can_not_be_kept_is_left_out_and_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let function = || Value::Opaque(crate::message::Opaque(Arc::new(Function)));
    let mut object = crate::message::Object::new();
    object.insert("f", function());
    object.insert("n", 1.into());
    let list = vec![function(), object.into()];
    store.set("t", &path("list"), list.into());
    store.set("t", &path("f"), function());
    let deep = (0..1_000).fold(Value::Null, |value, _| vec![value].into());
    store.set("t", &path("deep"), deep);
    set(&store, "t", "large", json!("x".repeat(MAX_VALUE)));
    set(&store, "t", "fine", json!(1));
    store.flush();
    let warned = || store.disk.lock().warned.len();
    assert_eq!(warned(), 4);
    set(&store, "t", "deep", json!(1));
    store.flush();
    assert_eq!(warned(), 3);
    drop(store);
    let store = open(folder.path());
    assert_eq!(get(&store, "t", "list"), json!([null, {"n": 1}]));
    assert_eq!(store.keys("t"), ["list", "fine", "deep"]);
}

#[test]
fn damage_is_set_aside_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("c.sled");
    let store = open(folder.path());
    set(&store, "t", "a", json!(1));
    set(&store, "t", "b", json!(2));
    store.flush();
    // One value that is none.
    store
        .disk
        .lock()
        .database
        .write(
            &[ValueChange {
                scope: "t".into(),
                name: "a".into(),
                order: 0,
                bytes: Some(b"{\"$t\":\"nonsense\"}".to_vec()),
                before: Some(1),
            }],
            &[],
        )
        .unwrap();
    store.disk.lock().database.flush().unwrap();
    drop(store);
    let (store, notices) = DiskContext::open(&place).unwrap();
    assert!(notices[0].contains("1 of its values"), "{notices:?}");
    assert_eq!(store.keys("t"), ["b"]);
    store.flush();
    drop(store);
    let store = open(folder.path());
    assert_eq!(get(&store, "t", "b"), 2);
    drop(store);
    // A database that is none.
    fs::write(place.join("db"), vec![0x55; 100_000]).unwrap();
    fs::write(place.join("conf"), "nonsense").unwrap();
    let (store, notices) = DiskContext::open(&place).unwrap();
    assert!(notices[0].contains("IS DAMAGED"), "{notices:?}");
    assert!(store.keys("t").is_empty());
    set(&store, "t", "c", json!(3));
    store.flush();
    drop(store);
    assert_eq!(get(&open(folder.path()), "t", "c"), 3);
    let aside = fs::read_dir(folder.path()).unwrap();
    let aside = aside.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("damaged")
    });
    assert_eq!(aside.count(), 2);
}

#[tokio::test]
async fn the_configuration_names_the_default_store() {
    let memory = || ContextModule::named("memory", None).unwrap();
    let config = |names: &[&str], default: Option<&str>| {
        let stores = names.iter().map(|name| ((*name).to_owned(), memory()));
        let config = ContextConfig::new(stores.collect(), default)?;
        let (stores, _) = config.open(Place::Temporary).unwrap();
        let names = stores.into_iter().map(|(name, _)| name);
        Ok::<Vec<String>, String>(names.collect())
    };
    assert_eq!(config(&[], None).unwrap(), Vec::<String>::new());
    assert_eq!(config(&["a", "b"], None).unwrap(), ["a", "b"]);
    assert_eq!(config(&["a", "b"], Some("b")).unwrap(), ["b", "a"]);
    let three = config(&["a", "b", "default"], None).unwrap();
    assert_eq!(three, ["default", "a", "b"]);
    assert!(config(&["a"], Some("b")).unwrap_err().contains("\"b\""));
    assert!(config(&["a b"], None).unwrap_err().contains("\"a b\""));
    assert!(config(&["_"], None).is_err());
    assert!(ContextModule::named("redis", None).is_err());
    assert!(ContextModule::named("disk", Some(f64::NAN)).is_err());
    let disk = ContextModule::named("localfilesystem", Some(5.0)).unwrap();
    let disk = ContextConfig::new(vec![("d".into(), disk)], None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    drop(disk.open(Place::Data(folder.path())).unwrap());
    assert!(folder.path().join("context/d.sled").exists());
}
