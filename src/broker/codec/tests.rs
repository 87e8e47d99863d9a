//! Tests of the codec by itself; wrong packets are tested on the wire (`broker/tests`).

use bytes::{Buf, BytesMut};

use super::{
    Packet, PublishHead, Qos, Version, decode, encode_ack, encode_publish, reader::variable_integer,
};
use crate::broker::message::Body;

const LIMIT: usize = 1 << 20;

#[test]
fn lengths_are_read_in_their_shortest_form_only() {
    for (bytes, expected) in [
        (&[0][..], Ok(Some((0, 1)))),
        (&[0x7F], Ok(Some((127, 1)))),
        (&[0x80, 1], Ok(Some((128, 2)))),
        (&[0xFF, 0xFF, 0xFF, 0x7F], Ok(Some((268_435_455, 4)))),
        (&[0x80], Ok(None)),
        (&[0x80, 0x80, 0x80], Ok(None)),
        (&[], Ok(None)),
        (&[0x80, 0], Err(())),
        (&[0x80, 0x80, 0x80, 0x80], Err(())),
    ] {
        assert_eq!(
            variable_integer(bytes).map_err(|_| ()),
            expected,
            "{bytes:?}"
        );
    }
}

#[test]
fn what_is_written_is_read_again_at_every_split() {
    let body = Body::new("a/温度", b"payload");
    for version in [Version::V31, Version::V311, Version::V5] {
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let head = PublishHead {
                alias: None,
                qos,
                retain: true,
                dup: false,
                packet_id: 7,
                expiry: None,
                subscription_ids: &[],
            };
            let mut written = BytesMut::new();
            encode_publish(&mut written, version, head, &body, None);
            encode_ack(&mut written, version, 0x40, 9, 0);
            for cut in 0..written.len() {
                let mut input = BytesMut::from(&written[..cut]);
                let early = decode(&mut input, version, LIMIT).unwrap();
                input.extend_from_slice(&written[cut..]);
                let first = match early {
                    Some(packet) => packet,
                    None => decode(&mut input, version, LIMIT).unwrap().unwrap(),
                };
                let Packet::Publish(publish) = first else {
                    panic!("{first:?}");
                };
                assert_eq!(publish.body.topic(), "a/温度");
                assert_eq!(publish.body.payload_bytes(), b"payload");
                assert_eq!((publish.qos, publish.retain), (qos, true));
                assert_eq!(
                    publish.packet_id,
                    if qos == Qos::AtMostOnce { 0 } else { 7 }
                );
                let second = decode(&mut input, version, LIMIT).unwrap();
                assert!(matches!(second, Some(Packet::PubAck(9))));
                assert!(!input.has_remaining());
            }
        }
    }
}

#[test]
fn any_bytes_are_read_or_refused() {
    // A small generator of its own: the same bytes in every run.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..50_000 {
        let length = 1 + random() as usize % 40;
        let mut bytes: Vec<u8> = (0..length).map(|_| random() as u8).collect();
        // Mostly a plausible start, so that the contents are reached.
        bytes[0] = (random() as u8) << 4 | [0, 2, 4, 1][random() as usize % 4];
        if length > 1 && random() % 4 > 0 {
            bytes[1] = (length - 2) as u8;
        }
        for version in [Version::V31, Version::V311, Version::V5] {
            let mut input = BytesMut::from(&*bytes);
            while let Ok(Some(_)) = decode(&mut input, version, LIMIT) {}
        }
    }
}
