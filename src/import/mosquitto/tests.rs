//! Configurations of Mosquitto and what comes of them.

use std::{fs, path::Path};

use super::*;
use crate::broker::{Action, NAMELESS};

/// A hash of mosquitto_passwd, of "secret".
const HASH: &str = "$7$101$ElXrN9eKkxwLWgaH$LWVWp/MYyVPAbMhj9ORzCDMxVJyGnrCzlcvHVVpjk3ElhnrJHRW9yW8iQDv5WBNCbV3+UUWGpMzsNiq5dBTvwg==";

fn conf(folder: &Path, text: &str) -> Result<Imported, String> {
    let file = folder.join("mosquitto.conf");
    fs::write(&file, text.replace("DIR", &folder.display().to_string())).unwrap();
    import(Some(&file), None, None).map_err(|error| error.to_string())
}

fn settings(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    conf(folder.path(), text).unwrap().settings
}

#[test]
fn options_are_listed_in_order() {
    let names: Vec<&str> = options::OPTIONS.iter().map(|(name, _)| *name).collect();
    assert!(names.is_sorted(), "{names:?}");
}

/// With `FLOWRILL_WRITE_DOCS` set it is written.
#[test]
fn the_document_is_what_the_list_makes_of_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/from-mosquitto.md");
    if std::env::var_os("FLOWRILL_WRITE_DOCS").is_some() {
        fs::write(path, document()).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap() == document(),
        "docs/from-mosquitto.md is out of date: run make mqtt-conformance"
    );
}

#[test]
fn listeners_and_limits() {
    let found = settings(
        "# a comment\n\nmax_queued_messages 500\nmax_inflight_messages 0\nmax_connections -1\nmessage_size_limit 1000\n\
         allow_anonymous true\n\nlistener 1883 127.0.0.1\n\nlistener 9001\nprotocol websockets\nlistener\t0 /run/m.sock\n",
    );
    assert_eq!(
        found,
        "[broker]\noffline_messages = 500\nmax_packet_size = 2024\n\n\
         [[broker.listeners]]\naddress = \"127.0.0.1:1883\"\nwebsocket = false\nanonymous = true\n\n\
         [[broker.listeners]]\naddress = \"0.0.0.0:9001\"\n\n\
         [[broker.listeners]]\nsocket = \"/run/m.sock\"\nwebsocket = false\nanonymous = true\n"
    );
}

#[test]
fn the_default_listener_and_encryption() {
    let found = settings(
        "port 8883\nbind_address ::1\ncafile /c/ca.crt\ncertfile /c/s.crt\nkeyfile /c/s.key\nrequire_certificate true\nuse_identity_as_username true\n",
    );
    assert_eq!(
        found,
        "[[broker.listeners]]\naddress = \"[::1]:8883\"\nwebsocket = false\nanonymous = false\n\n\
         [broker.listeners.tls]\ncertificate = \"/c/s.crt\"\nkey = \"/c/s.key\"\nclient_authority = \"/c/ca.crt\"\nclient_certificate_required = true\nclient_name = \"common-name\"\n"
    );
    // Nothing is set, so nothing is written: Mosquitto listens on this machine then, as Flowrill does.
    assert_eq!(settings("allow_anonymous true\n"), "");
}

#[test]
fn bridges() {
    let found = settings(
        "connection site/7\naddress broker.example.com:8883 other:1883\nremote_username ann\nremote_password x\"y\n\
         bridge_cafile /c/ca.crt\nbridge_insecure false\ntopic sensors/# out 1 home/ site7/\ntopic # in 0 \"\" x/\n\
         try_private true\nrestart_timeout 30\n",
    );
    assert_eq!(
        found,
        "[[broker.bridges]]\nname = \"site-7\"\naddress = \"broker.example.com:8883\"\nprotocol = \"3.1.1\"\nuser = \"ann\"\npassword = 'x\"y'\n\
         tls = { authority = \"/c/ca.crt\", insecure = false }\n\
         [[broker.bridges.topics]]\ntopic = \"sensors/#\"\ndirection = \"out\"\nqos = 1\nlocal = \"home/\"\nremote = \"site7/\"\n\
         [[broker.bridges.topics]]\ntopic = \"#\"\ndirection = \"in\"\nqos = 0\nlocal = \"\"\nremote = \"x/\"\n"
    );
}

/// What is written can be read by the settings.
#[test]
fn settings_understand_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("passwd"), format!("ann:{HASH}\n")).unwrap();
    let imported = conf(
        folder.path(),
        "max_keepalive 100\npassword_file DIR/passwd\nlistener 1883\nlistener 8883\ncertfile DIR/s.crt\nkeyfile DIR/s.key\n\
         connection a\naddress b\ntopic #\n",
    )
    .unwrap();
    let file = folder.path().join("set.toml");
    fs::write(&file, &imported.settings).unwrap();
    let flags = [("config", file.display().to_string())].into();
    let settings = crate::settings::Settings::resolve(&flags, &|_| None).unwrap();
    let broker = settings.broker.unwrap();
    // The one at the usual port takes the place of the usual one.
    let addresses: Vec<String> = broker.addresses().map(|at| at.to_string()).collect();
    assert_eq!(addresses, ["0.0.0.0:1883", "0.0.0.0:8883"]);
    assert_eq!(broker.max_keep_alive, 100);
    assert_eq!(settings.bridges.len(), 1);
}

#[test]
fn users_and_rules() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    file("passwd", &format!("# users\nann:{HASH}\nbob:plain text\n"));
    file(
        "acl",
        "topic read $SYS/#\n\nuser ann\ntopic readwrite home/#\ntopic deny home/secret\ntopic a b/c\n\nuser bob\ntopic write x\n\npattern write sensors/%c/#\n",
    );
    let imported = conf(
        folder.path(),
        "password_file passwd\nacl_file DIR/acl\nallow_anonymous true\n",
    )
    .unwrap();
    let access = &imported.access;
    assert_eq!(access.users["ann"].password, HASH);
    assert!(access.users["bob"].password.starts_with("$argon2id$"));
    let shown = |rules: &[crate::broker::Rule]| -> Vec<String> {
        let one = |rule: &crate::broker::Rule| {
            let letters: String = rule
                .actions
                .iter()
                .map(|action| match action {
                    Action::Publish => 'p',
                    Action::Subscribe => 's',
                    Action::Receive => 'r',
                })
                .collect();
            format!(
                "{}{letters} {}",
                if rule.deny { "!" } else { "" },
                rule.topic
            )
        };
        rules.iter().map(one).collect()
    };
    assert_eq!(
        shown(&access.users["ann"].rules),
        ["psr home/#", "!psr home/secret", "psr a b/c"]
    );
    assert_eq!(shown(&access.users["bob"].rules), ["p x"]);
    assert_eq!(shown(&access.roles[NAMELESS]), ["sr $SYS/#"]);
    assert_eq!(shown(&access.everybody), ["p sensors/%c/#"]);
    // Alone as well.
    let alone = import(
        None,
        Some(&folder.path().join("passwd")),
        Some(&folder.path().join("acl")),
    );
    assert_eq!(alone.unwrap().access.users.len(), 2);
}

#[test]
fn what_is_included_counts() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("conf.d");
    fs::create_dir(&inside).unwrap();
    fs::write(inside.join("b.conf"), "max_keepalive 7\n").unwrap();
    fs::write(inside.join("a.conf"), "max_keepalive 5\n").unwrap();
    fs::write(inside.join("c.txt"), "nonsense\n").unwrap();
    let imported = conf(folder.path(), "include_dir DIR/conf.d\n").unwrap();
    assert_eq!(imported.settings, "[broker]\nmax_keep_alive = 7\n");
}

#[test]
fn what_has_no_counterpart_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let imported = conf(
        folder.path(),
        "user mosquitto\npersistence true\npid_file /run/x\nlog_dest syslog\nlistener 1883 192.168.0.2\nallow_anonymous true\npsk_hint secret\n",
    )
    .unwrap();
    let told = imported.left.join("\n");
    for part in [
        "line 1: user mosquitto: start Flowrill as the user",
        "line 4: log_dest syslog: ",
        "line 5: allow_anonymous true for 192.168.0.2:1883: everybody on that network",
        "line 7: psk_hint: ",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert!(
        !told.contains("secret") && !told.contains("pid_file") && !told.contains("persistence"),
        "{told}"
    );
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("passwd"), "ann\n").unwrap();
    fs::write(folder.path().join("acl"), "user ann\ntopic a\n").unwrap();
    fs::write(folder.path().join("empty"), "# nothing\n").unwrap();
    for (text, expected) in [
        ("nonsense 1", "line 1: \"nonsense\" is no option"),
        ("\nlistener", "line 2: a listener needs a port"),
        ("listener x", "a listener needs a port"),
        ("listener 1883 pi.local", "\"pi.local\" is a name"),
        ("max_keepalive x", "\"x\" is no number"),
        ("allow_anonymous yes", "\"yes\" is neither true nor false"),
        ("listener 1\ncertfile a", "without a keyfile"),
        ("connection a\naddress b", "the connection has no topic"),
        ("connection a\ntopic #", "the connection has no address"),
        (
            "connection a\naddress b\ntopic # up",
            "a topic goes out, in or both",
        ),
        ("password_file DIR/none", "none can't be read"),
        (
            "password_file passwd",
            "passwd, line 1: this is no line of a password file",
        ),
        ("acl_file acl", "acl, line 1: there is no user \"ann\""),
        ("acl_file empty", "has no rules in it"),
        ("include_dir DIR/none", "none can't be read"),
    ] {
        let error = conf(folder.path(), text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let missing = import(Some(Path::new("/nowhere.conf")), None, None).unwrap_err();
    assert!(missing.to_string().contains("/nowhere.conf can't be read"));
}
