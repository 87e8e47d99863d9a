//! What the broker has acknowledged survives a kill: retained messages, sessions and what waits in them.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::support::process::Flowrill;

/// A client of MQTT 3.1.1 that writes and reads bytes.
struct Client(TcpStream);

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    [&[first, body.len() as u8], body].concat()
}

impl Client {
    /// Connects; whether the session was there.
    fn connect(running: &Flowrill, id: &str, clean: bool) -> (Self, bool) {
        let stream = TcpStream::connect(running.mqtt.as_deref().unwrap()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut client = Self(stream);
        let flags = [4, if clean { 2 } else { 0 }, 0, 60];
        let body = [text("MQTT"), flags.to_vec(), text(id)].concat();
        client.0.write_all(&packet(0x10, &body)).unwrap();
        let (first, body) = client.next().unwrap();
        assert_eq!((first, body[1]), (0x20, 0));
        (client, body[0] == 1)
    }

    /// The next packet; none when the connection is gone.
    fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).ok()?;
        let mut body = vec![0; head[1].into()];
        self.0.read_exact(&mut body).ok()?;
        Some((head[0], body))
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut running = Flowrill::start(&data, &["--no-sample"]);
    let (mut receiver, _) = Client::connect(&running, "receiver", false);
    let subscribe = [vec![0, 1], text("kept/#"), vec![1]].concat();
    receiver.0.write_all(&packet(0x82, &subscribe)).unwrap();
    assert_eq!(receiver.next().unwrap().0, 0x90);
    drop(receiver);

    // Three rounds; each ends with a kill while messages are under way.
    let mut acknowledged: Vec<(u8, u16)> = Vec::new();
    for round in 0..3_u8 {
        let (mut publisher, _) = Client::connect(&running, "publisher", true);
        let mut writer = publisher.0.try_clone().unwrap();
        let sending = std::thread::spawn(move || {
            for id in 1..=2000_u16 {
                let number = id.to_be_bytes();
                let topic = text(&format!("kept/{round}"));
                let body = [&topic, &number[..], &[round], &number].concat();
                if writer.write_all(&packet(0x33, &body)).is_err() {
                    return;
                }
            }
        });
        for _ in 0..200 {
            let (first, body) = publisher.next().unwrap();
            assert_eq!(first, 0x40);
            acknowledged.push((round, u16::from_be_bytes([body[0], body[1]])));
        }
        running.kill();
        while let Some((_, body)) = publisher.next() {
            acknowledged.push((round, u16::from_be_bytes([body[0], body[1]])));
        }
        sending.join().unwrap();
        running = Flowrill::start(&data, &["--no-sample"]);
    }

    // The session keeps a thousand messages: all of those of the first rounds that were acknowledged, in order.
    let (mut receiver, present) = Client::connect(&running, "receiver", false);
    assert!(present);
    let kept: Vec<(u8, u16)> = acknowledged.iter().copied().take(600).collect();
    let mut got = Vec::new();
    while got.len() < 600 || !kept.iter().all(|one| got.contains(one)) {
        let (first, body) = receiver.next().expect("not all have come");
        assert_eq!(first & 0xF2, 0x32);
        let (packet_id, message) = (&body[8..10], &body[10..]);
        receiver.0.write_all(&packet(0x40, packet_id)).unwrap();
        got.push((message[0], u16::from_be_bytes([message[1], message[2]])));
    }
    let mut ordered = got.clone();
    ordered.sort_unstable();
    ordered.dedup();
    assert_eq!(got, ordered, "in order, and none twice");

    let (mut late, _) = Client::connect(&running, "late", true);
    let subscribe = [vec![0, 1], text("kept/#"), vec![0]].concat();
    late.0.write_all(&packet(0x82, &subscribe)).unwrap();
    assert_eq!(late.next().unwrap().0, 0x90);
    for _ in 0..3 {
        let (first, body) = late.next().unwrap();
        let round = body[8];
        let last = acknowledged
            .iter()
            .filter(|(of, _)| *of == round)
            .map(|(_, id)| id)
            .max();
        let number = u16::from_be_bytes([body[9], body[10]]);
        assert!(
            first == 0x31 && number >= *last.unwrap(),
            "retained in round {round}"
        );
    }
    assert!(running.stop().success());
}
