//! Tables of settings and what comes of them.

use std::{collections::HashMap, fs};

use super::*;
use crate::{
    broker::{CertificateName, TlsConfig},
    store::ContextModule,
};

/// Flags, environment and file text → settings.
fn resolve(
    flags: &[(&'static str, &str)],
    env: &[(&str, &str)],
    file: Option<&str>,
) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut flags: Flags = flags
        .iter()
        .map(|(name, text)| (*name, (*text).to_owned()))
        .collect();
    let env: HashMap<String, String> = env
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    if let Some(text) = file {
        let path = folder.path().join("set.toml");
        fs::write(&path, text).unwrap();
        flags.insert("config", path.to_str().unwrap().to_owned());
    }
    let place = folder.path().to_str().unwrap().to_owned();
    Settings::resolve(&flags, &|name| env.get(name).cloned())
        .map_err(|error| error.to_string().replace(&place, "DIR"))
}

#[test]
fn without_anything_set_only_this_machine_can_connect() {
    let settings = resolve(&[("data", "d")], &[], None).unwrap();
    assert_eq!(settings.http.to_string(), "127.0.0.1:1880");
    assert_eq!(
        settings
            .broker
            .unwrap()
            .addresses()
            .next()
            .unwrap()
            .to_string(),
        "127.0.0.1:1883"
    );
    assert!(settings.sample && !settings.tap);
    assert_eq!(settings.lang, "en");
    assert_eq!(settings.runtime, RuntimeSettings::default());
    assert!(!resolve(&[], &[], None).unwrap().data.as_os_str().is_empty());
}

#[test]
fn flag_beats_environment_beats_file() {
    let file = Some("http = \"127.0.0.1:3\"\nlang = \"fr\"\nlog = \"warn\"\n");
    let env = [("FLOWRILL_HTTP", "127.0.0.1:2"), ("FLOWRILL_LANG", "de")];
    let settings = resolve(&[("http", "127.0.0.1:1")], &env, file).unwrap();
    assert_eq!(settings.http.port(), 1);
    assert_eq!(settings.lang, "de");
    assert_eq!(settings.log, LogLevel::WARN);
    let settings = resolve(&[], &env, file).unwrap();
    assert_eq!(settings.http.port(), 2);
}

#[test]
fn switches_can_be_turned_off_again() {
    let file = Some("no-broker = true\nno-sample = true");
    let settings = resolve(&[], &[("FLOWRILL_NO_BROKER", "false")], file).unwrap();
    assert!(settings.broker.is_some());
    assert!(!settings.sample);
    let settings = resolve(&[("no-broker", "true")], &[], None).unwrap();
    assert_eq!(settings.broker, None);
}

#[test]
fn a_tap_gets_no_sample() {
    let settings = resolve(&[("tap", "true")], &[], None).unwrap();
    assert!(settings.tap && !settings.sample);
}

#[test]
fn runtime_settings_have_node_reds_names_and_units() {
    let file = "[runtime]\nglobalFunctionTimeout = 2.5\nnodeMessageBufferMaxLength = 7\nmqttReconnectTime = 1500\nnodeCloseTimeout = 100\ndebugMaxLength = 9\ndebugStatusLength = 8";
    let runtime = resolve(&[], &[], Some(file)).unwrap().runtime;
    assert_eq!(runtime.function_timeout, Duration::from_millis(2500));
    assert_eq!(runtime.message_buffer_max_length, 7);
    assert_eq!(runtime.mqtt_reconnect, Duration::from_millis(1500));
    assert_eq!(runtime.close_timeout, Duration::from_millis(100));
    assert_eq!(runtime.debug_max_length, 9);
    assert_eq!(runtime.debug_status_length, 8);
    let none = resolve(&[], &[], Some("[runtime]\nglobalFunctionTimeout = 0")).unwrap();
    assert_eq!(none.runtime.function_timeout, Duration::from_secs(10));
}

#[test]
fn the_network_needs_a_word() {
    let open = [("http", "0.0.0.0:80")];
    let error = resolve(&open, &[], None).unwrap_err();
    assert!(
        error.starts_with("--http: Flowrill has no login yet"),
        "{error}"
    );
    let both = [("http", "0.0.0.0:80"), ("auth", "none")];
    assert!(resolve(&both, &[], None).unwrap().open_to_all);
    let tap = [("http", "0.0.0.0:80"), ("auth", "none"), ("tap", "true")];
    assert!(resolve(&tap, &[], None).unwrap_err().contains("--tap"));
    let mqtt = [("mqtt", "[::]:1883")];
    // The broker has a login; only to do without it needs a word.
    assert!(resolve(&mqtt, &[], None).is_ok());
    let tap = [("mqtt", "[::]:1883"), ("tap", "true")];
    assert!(
        resolve(&tap, &[], None)
            .unwrap_err()
            .starts_with("--mqtt: --tap")
    );
    let open = "[[broker.listeners]]\naddress = \"0.0.0.0:1\"\nanonymous = true";
    let error = resolve(&[], &[], Some(open)).unwrap_err();
    assert!(
        error.contains("line 1: with anonymous = true everybody"),
        "{error}"
    );
    assert!(resolve(&[("auth", "none")], &[], Some(open)).is_ok());
    // Without a broker its address does not matter.
    let off = [("mqtt", "0.0.0.0:1"), ("no-broker", "true")];
    assert!(resolve(&off, &[], None).is_ok());
    assert!(resolve(&[("http", "localhost:9")], &[], None).is_ok());
    assert!(resolve(&[("http", "[::1]:9")], &[], None).is_ok());
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let cases = [
        (
            "\nport = 3",
            "DIR/set.toml, line 2: there is no setting \"port\"; there are data, http, mqtt",
        ),
        (
            "# x\nhttp = \"here\"",
            "DIR/set.toml, line 2: http: \"here\" is no address to listen on",
        ),
        (
            "http = [1]",
            "DIR/set.toml, line 1: http takes one text, number or true/false",
        ),
        ("lang = \"en\"\nlog =", "DIR/set.toml, line 2: "),
        (
            "\n\n[runtime]\nfoo = 1",
            "DIR/set.toml, line 4: there is no setting \"foo\" in [runtime]; there are globalFunctionTimeout",
        ),
        (
            "[runtime]\ndebugMaxLength = -1",
            "DIR/set.toml, line 2: debugMaxLength: this must be a number, 0 or more",
        ),
        ("runtime = 1", "DIR/set.toml, line 1: runtime is a table"),
        ("broker = 1", "DIR/set.toml, line 1: broker is a table"),
        (
            "[broker]\nmax_retained = 5\nsize = 1",
            "DIR/set.toml, line 3: in [broker]: unknown field `size`",
        ),
        (
            "[broker]\nmax_packet_size = -1",
            "DIR/set.toml, line 2: in [broker]: invalid value: integer `-1`",
        ),
        (
            "[broker]\nconnect_timeout = 0",
            "DIR/set.toml, line 1: in [broker]: connect_timeout is a number of seconds above 0",
        ),
        (
            "[[broker.listeners]]\n",
            "DIR/set.toml, line 1: in [[broker.listeners]]: give each either an address or a socket",
        ),
        (
            "[[broker.listeners]]\naddress = \"here\"",
            "DIR/set.toml, line 1: in [[broker.listeners]]: \"here\" is no address to listen on",
        ),
        (
            "[broker.users.ann]\npassword = \"plain\"",
            "DIR/set.toml, line 1: in [broker]: The password of the user \"ann\" is no hash",
        ),
        (
            "[[broker.everybody]]\ntopic = \"a/#/b\"",
            "DIR/set.toml, line 1: in [broker]: \"a/#/b\" is no topic filter",
        ),
        (
            "tap = \"maybe\"",
            "DIR/set.toml, line 1: tap: \"maybe\" must be true or false",
        ),
        (
            "log = \"loud\"",
            "DIR/set.toml, line 1: log: \"loud\" is no log level; choose one of off, error",
        ),
        (
            "lang = \"../x\"",
            "DIR/set.toml, line 1: lang: \"../x\" is no language",
        ),
        (
            "auth = \"basic\"",
            "DIR/set.toml, line 1: auth: the only value",
        ),
        (
            "config = \"x\"",
            "DIR/set.toml, line 1: there is no setting \"config\"",
        ),
    ];
    for (file, expected) in cases {
        let error = resolve(&[], &[], Some(file)).unwrap_err();
        assert!(error.starts_with(expected), "{file:?} gave {error}");
        assert!(!error.contains('\n'), "{error}");
    }
    let error = resolve(&[], &[("FLOWRILL_TAP", "maybe")], None).unwrap_err();
    assert_eq!(error, "FLOWRILL_TAP: \"maybe\" must be true or false");
    let error = resolve(&[("config", "/no/such.toml")], &[], None).unwrap_err();
    assert!(error.contains("/no/such.toml can't be read") && error.contains("--config"));
}

#[test]
fn the_file_in_the_data_folder_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap().to_owned();
    let flags = Flags::from([("data", data)]);
    let env = |_: &str| None;
    assert_eq!(Settings::resolve(&flags, &env).unwrap().file, None);
    fs::write(
        folder.path().join(FILE_NAME),
        "lang = \"de\"\nflows = \"mine.json\"",
    )
    .unwrap();
    let settings = Settings::resolve(&flags, &env).unwrap();
    assert_eq!(settings.lang, "de");
    assert_eq!(settings.flows, Some(folder.path().join("mine.json")));
    assert_eq!(settings.file, Some(folder.path().join(FILE_NAME)));
}

/// The example in `packaging/` names every setting, with its default.
#[test]
fn the_example_file_is_complete_and_true() {
    let example = include_str!("../../packaging/flowrill.toml");
    let lines = example.lines().map(|line| match line.strip_prefix('#') {
        Some(setting) if setting.starts_with(|first: char| first.is_ascii_lowercase()) => setting,
        _ => line,
    });
    let all = lines.collect::<Vec<_>>().join("\n");
    let runtime = layers::RUNTIME.iter().chain(&layers::RUNTIME_LISTS);
    for name in layers::OPTIONS.iter().chain(runtime) {
        let set = all
            .lines()
            .any(|line| line.starts_with(&format!("{name} = ")))
            || all.contains(&format!("\n[{name}]\ndirs = "));
        assert!(set || *name == "config", "{name}");
    }
    let settings = resolve(&[], &[], Some(&all)).unwrap();
    let flags = [("data", "/var/lib/flowrill"), ("auth", "none")];
    let plain = resolve(&flags, &[], None).unwrap();
    assert_eq!(
        settings,
        Settings {
            flows: settings.flows.clone(),
            nodes: settings.nodes.clone(),
            file: settings.file.clone(),
            ..plain
        }
    );
}

#[test]
fn context_stores_are_a_table_of_the_file() {
    let file = "[context]\nfast = { module = \"memory\" }\nslow = { module = \"localfilesystem\", interval = 5 }\ndefault = \"slow\"\n";
    let context = resolve(&[], &[], Some(file)).unwrap().context;
    let disk = ContextModule::named("disk", Some(5.0)).unwrap();
    let stores = vec![
        ("slow".to_owned(), disk),
        ("fast".to_owned(), ContextModule::Memory),
    ];
    assert_eq!(context, ContextConfig::new(stores, None).unwrap());
    // The first one of the file, whatever its name.
    let file = "[context.zebra]\nmodule = \"memory\"\n[context.apple]\nmodule = \"memory\"";
    let context = resolve(&[], &[], Some(file)).unwrap().context;
    let stores = ["zebra", "apple"].map(|name| (name.to_owned(), ContextModule::Memory));
    assert_eq!(context, ContextConfig::new(stores.to_vec(), None).unwrap());
    assert_eq!(
        resolve(&[], &[], Some("[context]")).unwrap().context,
        ContextConfig::default()
    );
    for (line, expected) in [
        (
            "a = { module = \"redis\" }",
            "line 2: the context store \"a\": there is no context store of the module \"redis\"",
        ),
        ("a = { }", "it needs module"),
        ("a = \"memory\"", "line 2: a is a table"),
        (
            "a = { module = \"disk\", interval = \"often\" }",
            "the interval is a number of seconds",
        ),
        (
            "a = { module = \"disk\", dir = \"x\" }",
            "there is no \"dir\"",
        ),
        (
            "\"a b\" = { module = \"memory\" }",
            "can't be the name of a context store",
        ),
        ("default = \"b\"", "there is none of that name"),
    ] {
        let error = resolve(&[], &[], Some(&format!("[context]\n{line}"))).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn lists_and_tables_of_the_runtime() {
    let file = "[runtime]\nenvVarExcludes = [\"SECRET\"]\nexportGlobalContextKeys = false\n[runtime.functionGlobalContext]\nsite = \"Berlin\"\nlimits = [1, 0x10, 2.5, inf]\nsince = 2024-01-01T00:00:00Z\nnested = { on = true }\n";
    let runtime = resolve(&[], &[], Some(file)).unwrap().runtime;
    assert_eq!(runtime.env_var_excludes, ["SECRET"]);
    assert!(!runtime.export_global_context_keys);
    let seeds = crate::message::to_wire(&runtime.global_context.into());
    let expected = serde_json::json!({
        "site": "Berlin",
        "limits": [1, 16, 2.5, {"$t": "number", "v": "Infinity"}],
        "since": {"$t": "date", "v": 1_704_067_200_000_i64},
        "nested": {"on": true},
    });
    assert_eq!(seeds, expected);
    for (line, expected) in [
        (
            "envVarExcludes = \"SECRET\"",
            "line 2: envVarExcludes is a list of texts",
        ),
        (
            "functionGlobalContext = 1",
            "functionGlobalContext is a table",
        ),
        ("nosuch = 1", "envVarExcludes, functionGlobalContext"),
    ] {
        let error = resolve(&[], &[], Some(&format!("[runtime]\n{line}"))).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn folders_of_node_types_are_a_list() {
    let names = |settings: Settings| -> Vec<String> {
        let names = settings.nodes.iter().filter_map(|path| path.file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    };
    let joined = std::env::join_paths(["a", "/b"]).unwrap();
    let joined = joined.to_str().unwrap();
    let settings = resolve(&[("nodes", joined)], &[], None).unwrap();
    assert_eq!(settings.nodes, [PathBuf::from("a"), PathBuf::from("/b")]);
    let settings = resolve(&[], &[("FLOWRILL_NODES", joined)], None).unwrap();
    assert_eq!(names(settings), ["a", "b"]);
    let settings = resolve(&[], &[], Some("[nodes]\ndirs = [\"c\", \"d\"]")).unwrap();
    assert!(settings.nodes[0].is_absolute(), "it begins at the file");
    assert_eq!(names(settings), ["c", "d"]);
    for (wrong, told) in [
        ("nodes = \"c\"", "nodes is a table"),
        ("[nodes]\ndirs = \"c\"", "dirs is a list of texts"),
        (
            "[nodes]\ndir = []",
            "no setting \"dir\" in [nodes]; there are dirs",
        ),
        ("[nodes]\ndirs = [1]", "dirs is a list of texts"),
    ] {
        let error = resolve(&[], &[], Some(wrong)).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn the_broker_listens_where_the_file_says_besides() {
    let file = r#"
mqtt = "127.0.0.1:1"
[broker]
max_connections = 9
connect_timeout = 0.5
[[broker.listeners]]
address = "127.0.0.1:8883"
websocket = false
tls = { certificate = "server.pem", key = "/etc/key.pem", client_authority = "ca.pem", client_certificate_required = true, client_name = "common-name" }
[[broker.listeners]]
socket = "mqtt.sock"
origins = ["https://panel.example"]
"#;
    let settings = resolve(&[], &[], Some(file)).unwrap();
    let folder = settings.file.unwrap().parent().unwrap().to_owned();
    let broker = settings.broker.unwrap();
    assert_eq!(broker.max_connections, 9);
    assert_eq!(broker.connect_timeout, Duration::from_millis(500));
    let tls = TlsConfig {
        certificate: folder.join("server.pem"),
        key: "/etc/key.pem".into(),
        client_authority: Some(folder.join("ca.pem")),
        client_certificate_required: true,
        client_name: Some(CertificateName::CommonName),
        plain_too: false,
    };
    let address = |text: &str| ListenerConfig::tcp(text.parse().unwrap());
    assert_eq!(
        broker.listeners,
        [
            address("127.0.0.1:1"),
            ListenerConfig {
                tls: Some(tls),
                websocket: false,
                ..address("127.0.0.1:8883")
            },
            ListenerConfig {
                at: At::Unix(folder.join("mqtt.sock")),
                origins: vec!["https://panel.example".into()],
                ..address("127.0.0.1:1")
            },
        ]
    );
}

#[test]
fn bridges_are_read_and_checked() {
    let bridge = |more: &str| {
        format!(
            "[[broker.bridges]]\nname = \"cloud\"\naddress = \"mqtts://there\"\n{more}\n[[broker.bridges.topics]]\ntopic = \"#\"\nlocal = \"a/\"\n"
        )
    };
    let settings = resolve(
        &[],
        &[],
        Some(&bridge(
            "tls = { authority = \"ca.pem\" }\nuser = \"ann\"\npassword = \"x\"",
        )),
    )
    .unwrap();
    let [found] = &*settings.bridges else {
        panic!("{:?}", settings.bridges);
    };
    assert_eq!(found.name, "cloud");
    assert_eq!(found.login.as_ref().unwrap().user, "ann");
    assert!(found.tls.authority.as_ref().unwrap().is_absolute());
    assert_eq!(found.topics[0].local, "a/");
    assert_eq!(found.topics[0].direction, crate::mqtt::Direction::Out);

    for (more, expected) in [
        ("clean = 1", "invalid type"),
        ("nonsense = 1", "unknown field `nonsense`"),
        ("password = \"x\"", "has a password, but no user"),
        ("user = \"a\"\npassword_file = \"none\"", "can't be read"),
        ("protocol = \"4\"", "unknown variant"),
        (
            "notification_topic = \"a/#\"",
            "is no topic that can be published to",
        ),
    ] {
        let error = resolve(&[], &[], Some(&bridge(more))).unwrap_err();
        assert!(
            error.contains(expected) && error.contains("line"),
            "{error}"
        );
    }
    for (text, expected) in [
        ("name = \"a/b\"\naddress = \"x\"", "is no name for a bridge"),
        ("name = \"a\"\naddress = \"http://x\"", "leads to no broker"),
        ("name = \"a\"\naddress = \"x\"", "it has no topics"),
        (
            "name = \"a\"\naddress = \"x\"\ntopics = [{ topic = \"a#\" }]",
            "is no topic filter",
        ),
        (
            "name = \"a\"\naddress = \"x\"\ntopics = [{ topic = \"a\", qos = 3 }]",
            "qos is 0, 1 or 2",
        ),
        (
            "name = \"a\"\naddress = \"x\"\ntopics = [{ topic = \"a\", direction = \"up\" }]",
            "unknown variant",
        ),
    ] {
        let file = format!("[[broker.bridges]]\n{text}\n");
        let error = resolve(&[], &[], Some(&file)).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let two = bridge("") + &bridge("");
    let error = resolve(&[], &[], Some(&two)).unwrap_err();
    assert!(error.contains("two named"), "{error}");
    assert!(
        resolve(&[("no-broker", "true")], &[], Some(&bridge("")))
            .unwrap()
            .bridges
            .is_empty()
    );
}
