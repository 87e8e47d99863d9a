//! The command line of the real binary: what it prints, and the code it ends with.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

use crate::support::process::{Flowrill, command, errors, run};

/// Runs to a start that fails: one sentence with these parts, code 2, nothing printed for success.
#[track_caller]
fn refused(arguments: &[&str], parts: &[&str]) {
    let output = run(arguments);
    let text = errors(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(output.stdout.is_empty());
    for part in parts {
        assert!(text.contains(part), "{arguments:?}: {text}\nlacks {part}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn says_where_everything_is_and_stops_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut flowrill = Flowrill::start(&data, &[]);
    assert!(flowrill.banner.lines().count() <= 10);
    assert!(flowrill.banner.contains(text(&data)));
    assert!(flowrill.http.starts_with("http://127.0.0.1:"));
    assert!(!flowrill.http.ends_with(":0"));
    let begun = Instant::now();
    assert_eq!(flowrill.stop().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5));
    // The folder is free again.
    Flowrill::start(&data, &["--no-broker"]);
}

#[test]
fn a_port_in_use_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(
        &["--data", text(&data), "--http", &address, "--no-broker"],
        &[&address, "in use", "--http 127.0.0.1:"],
    );
    assert!(!data.exists(), "a start that fails leaves nothing behind");
}

#[test]
fn a_data_folder_that_cannot_be_used_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let free = ["--http", "127.0.0.1:0", "--no-broker"];
    let below = file.join("data");
    refused(
        &[&["--data", text(&below)], &free[..]].concat(),
        &["--data", "can't be made"],
    );

    let data = folder.path().join("data");
    let running = Flowrill::start(&data, &["--no-broker"]);
    let holder = format!("process {}", running.pid());
    refused(
        &[&["--data", text(&data)], &free[..]].concat(),
        &["in use", &holder, "--data"],
    );
}

#[test]
fn a_wrong_setting_is_said_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("set.toml");
    fs::write(&file, "lang = \"en\"\nhtpp = \"x\"\n").unwrap();
    refused(&["--config", text(&file)], &[text(&file), "line 2", "htpp"]);
    refused(&["--http", "nowhere"], &["--http", "127.0.0.1:1880"]);
    refused(&["--http", "0.0.0.0:0"], &["--http", "--auth none"]);
    refused(
        &["--tap", "--auth", "none", "--mqtt", "0.0.0.0:0"],
        &["--mqtt", "--tap"],
    );
    refused(&["--flows", "/no/such.json"], &["/no/such.json", "--flows"]);
    let output = command(&[]).env("FLOWRILL_LOG", "loud").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("FLOWRILL_LOG: \"loud\""));
    assert_eq!(run(&["--nosuch"]).status.code(), Some(2));
}

#[test]
fn checks_a_flow_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("flows.json");
    let check = |content: &str| {
        fs::write(&file, content).unwrap();
        let output = run(&["check", text(&file)]);
        let printed = String::from_utf8(output.stdout.clone()).unwrap();
        (output.status.code(), printed)
    };
    let (code, _) = check("[{\"id\": \"a\", \"type\": \"comment\"}]");
    assert_eq!(code, Some(0));
    let (code, printed) = check("[\n{\"id\": \"a\", \"type\": \"comment\"},\n{\"id\": \"a\"}]");
    assert_eq!(code, Some(1));
    assert!(
        printed.contains("flows.json:3: error: entry 2"),
        "{printed}"
    );
    let (code, printed) = check("[\n  oops\n]");
    assert_eq!(code, Some(1));
    assert!(printed.contains("line 2"), "{printed}");
    assert_eq!(run(&["check", "/no/such.json"]).status.code(), Some(2));
}

#[test]
fn lists_the_node_types() {
    let output = run(&["nodes"]);
    assert_eq!(output.status.code(), Some(0));
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        printed.lines().any(|line| line.contains(" inject ")),
        "{printed}"
    );
}

#[test]
fn a_first_start_shows_the_sample_and_a_tap_starts_empty() {
    let folder = tempfile::tempdir().unwrap();
    let stored = |name: &str| folder.path().join(name).join("flows.json");
    Flowrill::start(&folder.path().join("a"), &["--no-sample"]).stop();
    assert!(!stored("a").exists());
    Flowrill::start(&folder.path().join("b"), &["--tap"]).stop();
    assert!(!folder.path().join("b").exists());
    Flowrill::start(&folder.path().join("c"), &[]).stop();
    let sample = fs::read_to_string(stored("c")).unwrap();
    assert!(sample.contains("First steps"));
}

#[test]
fn a_file_is_deployed_as_a_new_version() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.json");
    fs::write(
        &file,
        "[{\"id\": \"mine\", \"type\": \"tab\", \"label\": \"Mine\"}]",
    )
    .unwrap();
    let data = folder.path().join("data");
    Flowrill::start(&data, &["--flows", text(&file)]).stop();
    let stored = fs::read_to_string(data.join("flows.json")).unwrap();
    assert!(stored.contains("Mine") && !stored.contains("First steps"));
}

#[test]
fn a_taken_mqtt_port_names_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(
        &[
            "--data",
            text(&data),
            "--http",
            "127.0.0.1:0",
            "--mqtt",
            &address,
        ],
        &[&address, "Mosquitto", "--no-broker", "--mqtt 127.0.0.1:"],
    );
    assert!(!data.exists());
}
