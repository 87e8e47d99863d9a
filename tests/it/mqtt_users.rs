//! `flowrill mqtt …`: users and rules by command, before the first start and while the broker runs.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use crate::support::process::{Flowrill, command, errors};

/// Runs `flowrill mqtt …` with this on standard input.
fn mqtt(data: &Path, arguments: &[&str], input: &str) -> Output {
    let mut all = vec!["mqtt"];
    all.extend(arguments);
    all.extend(["--data", data.to_str().unwrap()]);
    let mut child = command(&all)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Commands that ask for nothing may have ended already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", errors(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Connects with MQTT 3.1.1; the connection, and CONNACK's return code.
fn connect(running: &Flowrill, login: Option<(&str, &str)>) -> (TcpStream, u8) {
    let address = running.mqtt.as_deref().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let text = |text: &str| [&[0, text.len() as u8][..], text.as_bytes()].concat();
    let (flags, names) = match login {
        Some((name, password)) => (0xC2, [text(name), text(password)].concat()),
        None => (0x02, Vec::new()),
    };
    let body = [
        text("MQTT"),
        vec![4, flags, 0, 60],
        text(login.map_or("nobody", |(name, _)| name)),
        names,
    ]
    .concat();
    stream.write_all(&[0x10, body.len() as u8]).unwrap();
    stream.write_all(&body).unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    (stream, answer[3])
}

#[test]
fn users_are_added_and_removed_also_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    done(&mqtt(&data, &["user", "add", "ann"], "secret\n"));
    let again = mqtt(&data, &["user", "add", "ann"], "secret\n");
    assert_eq!(again.status.code(), Some(2));
    assert!(errors(&again).contains("already"), "{}", errors(&again));
    assert_eq!(done(&mqtt(&data, &["user", "list"], "")), "ann\n");
    let file = std::fs::read_to_string(data.join("mqtt-access.json")).unwrap();
    assert!(file.contains("$argon2id$") && !file.contains("secret"));

    let mut running = Flowrill::start(&data, &["--no-sample"]);
    assert_eq!(connect(&running, None).1, 5);
    assert_eq!(connect(&running, Some(("ann", "Secret"))).1, 4);
    let (mut ann, code) = connect(&running, Some(("ann", "secret")));
    assert_eq!(code, 0);

    let said = done(&mqtt(&data, &["user", "add", "bob"], "hidden"));
    let told = if cfg!(unix) { "from now on" } else { "restart" };
    assert!(said.contains(told), "{said}");
    if cfg!(unix) {
        let end = Instant::now() + Duration::from_secs(20);
        while connect(&running, Some(("bob", "hidden"))).1 != 0 {
            assert!(Instant::now() < end, "bob is not known");
        }
        done(&mqtt(&data, &["user", "remove", "ann"], ""));
        // Cut off, with nothing more said.
        assert_eq!(ann.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(connect(&running, Some(("ann", "secret"))).1, 4);
    }
    assert!(running.stop().success());
}

#[test]
fn what_mosquitto_has_is_taken_over() {
    // Of mosquitto_passwd -b, with the password "secret".
    const HASH: &str = "$6$PYLJy8PU5OmTVmqa$EIRpBlT8GMAhU4/aqmEwASJBTzOSpUCxPdyBvm9XuZ3qZPtNr0UzNIB7hXNqqEHLQ9uUEQVNlqNRZLO9qqTVcQ==";
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    file("passwd", &format!("ann:{HASH}\n"));
    file("acl", "user ann\ntopic home/#\n");
    let conf = file(
        "mosquitto.conf",
        "password_file passwd\nacl_file acl\nmax_keepalive 100\nuser mosquitto\n",
    );
    let run = |more: &[&str]| {
        let data = data.to_str().unwrap();
        let all = [&["import", "--data", data], more].concat();
        command(&all).output().unwrap()
    };
    let said = done(&run(&["--dry-run", &conf]));
    assert!(said.contains("max_keep_alive = 100"), "{said}");
    assert!(!data.exists());
    let said = done(&run(&[&conf]));
    for part in [
        "1 users",
        "1 rules",
        "user mosquitto: start Flowrill as",
        "were written to",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Twice is once, and settings that are there stay.
    let said = done(&run(&[&conf]));
    assert!(said.contains("stays as it is"), "{said}");
    // Passwords that were never hashed are, so they differ each time.
    let clear = file("clear", "bob:clear\n");
    done(&run(&["--passwords", &clear]));
    assert!(errors(&run(&["--passwords", &clear])).contains("\"bob\" already"));
    let listed = done(&mqtt(&data, &["user", "list"], ""));
    assert_eq!(listed, "ann\nbob\n");
    let wrong = run(&[&file("wrong.conf", "max_keepalive 5\nnonsense\n")]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        errors(&wrong).contains("wrong.conf, line 2"),
        "{}",
        errors(&wrong)
    );

    let mut running = Flowrill::start(&data, &["--no-sample"]);
    assert_eq!(connect(&running, Some(("bob", "clear"))).1, 0);
    assert_eq!(connect(&running, Some(("bob", "other"))).1, 4);
    assert!(running.stop().success());
}

#[test]
fn rules_are_listed_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    done(&mqtt(data, &["user", "add", "ann"], "pw\n"));
    for arguments in [
        &["acl", "add", "--user", "ann", "--read", "home/#"][..],
        &["acl", "add", "--role", "sensor", "--write", "sensors/%c/#"],
        &["acl", "add", "--everybody", "--deny", "private/#"],
        &["user", "roles", "ann", "sensor"],
    ] {
        done(&mqtt(data, arguments, ""));
    }
    assert_eq!(
        done(&mqtt(data, &["acl", "list"], "")),
        "everybody: deny  publish+subscribe+receive private/#\n\
         role sensor: allow publish sensors/%c/#\n\
         user ann: allow subscribe+receive home/#\n"
    );
    assert_eq!(
        done(&mqtt(data, &["user", "list"], "")),
        "ann  (roles: sensor)\n"
    );
    for (arguments, reason) in [
        (&["acl", "add", "--user", "bob", "x"][..], "no user \"bob\""),
        (&["acl", "add", "--everybody", "a/#/b"], "no topic filter"),
        (&["acl", "remove", "--everybody", "x"], "no such rule"),
        (&["user", "passwd", "ann"], "empty"),
    ] {
        let output = mqtt(data, arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(errors(&output).contains(reason), "{}", errors(&output));
    }
    done(&mqtt(
        data,
        &["acl", "remove", "--everybody", "private/#"],
        "",
    ));
    assert!(!done(&mqtt(data, &["acl", "list"], "")).contains("private"));
}

#[test]
fn a_damaged_file_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    std::fs::write(data.join("mqtt-access.json"), "{\"format\":1, \"users\":").unwrap();
    let mut running = Flowrill::start(data, &["--no-sample"]);
    assert_eq!(connect(&running, None).1, 5);
    let output = mqtt(data, &["user", "add", "ann"], "x\n");
    assert!(
        errors(&output).contains("is damaged"),
        "{}",
        errors(&output)
    );
    assert!(running.stop().success());
}
