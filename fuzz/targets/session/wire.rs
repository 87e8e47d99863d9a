//! Packets of clients as bytes, and packets of the broker read with no tolerance.

use bytes::{Buf, BufMut, BytesMut};

pub const V5: u8 = 5;
/// A session that never ends.
pub const NEVER: u32 = u32::MAX;

pub fn packet(first: u8, content: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    out.put_u8(first);
    put_variable(&mut out, content.len());
    out.put_slice(content);
    out
}

pub fn put_text(out: &mut BytesMut, text: &[u8]) {
    out.put_u16(text.len() as u16);
    out.put_slice(text);
}

/// The length of properties and they themselves, which only MQTT 5 has.
pub fn put_properties(out: &mut BytesMut, level: u8, properties: &[u8]) {
    if level == V5 {
        put_variable(out, properties.len());
        out.put_slice(properties);
    }
}

fn put_variable(out: &mut BytesMut, mut value: usize) {
    loop {
        let byte = (value & 0x7F) as u8;
        value >>= 7;
        if value == 0 {
            return out.put_u8(byte);
        }
        out.put_u8(byte | 0x80);
    }
}

/// A message for a subscriber.
#[derive(Debug)]
pub struct Publish {
    pub topic: String,
    pub alias: Option<u16>,
    pub qos: u8,
    pub retain: bool,
    pub dup: bool,
    pub id: u16,
    pub subscription_ids: Vec<u32>,
    pub payload: Vec<u8>,
}

/// A packet of the broker.
#[derive(Debug)]
pub enum Answer {
    ConnAck { present: bool, code: u8 },
    Publish(Publish),
    PubAck(u16, u8),
    PubRec(u16, u8),
    PubRel(u16),
    PubComp(u16, u8),
    SubAck(u16, Vec<u8>),
    UnsubAck(u16, Vec<u8>),
    Pong,
    Disconnect,
}

/// Takes one packet off the front, with its size; panics if it is none that a server may send.
pub fn take(input: &mut BytesMut, level: u8) -> Option<(Answer, usize)> {
    let mut header = &input[..];
    if header.len() < 2 {
        return None;
    }
    let first = header.get_u8();
    let length = variable(&mut header)?;
    if header.len() < length {
        return None;
    }
    let size = input.len() - header.len() + length;
    let whole = input.split_to(size);
    let mut body = &whole[size - length..];
    let answer = read(first, &mut body, level);
    assert!(
        body.is_empty(),
        "{whole:02x?} has more in it than {answer:?}"
    );
    Some((answer, size))
}

fn variable(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for index in 0..4 {
        if bytes.is_empty() {
            return None;
        }
        let byte = bytes.get_u8();
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    panic!("a length of more than four bytes");
}

fn text(body: &mut &[u8]) -> String {
    let length = body.get_u16().into();
    let bytes = body.copy_to_bytes(length);
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn read(first: u8, body: &mut &[u8], level: u8) -> Answer {
    match first {
        0x20 => {
            let flags = body.get_u8();
            assert!(flags <= u8::from(level > 3), "flags of CONNACK: {flags}");
            let code = body.get_u8();
            properties(body, level);
            assert!(
                code == 0 || flags == 0,
                "a session is present for a client that is refused"
            );
            Answer::ConnAck {
                present: flags == 1,
                code,
            }
        }
        0x30..=0x3F => Answer::Publish(publish(first, body, level)),
        0x40 => ack(body, level, Answer::PubAck),
        0x50 => ack(body, level, Answer::PubRec),
        0x62 => ack(body, level, |id, _| Answer::PubRel(id)),
        0x70 => ack(body, level, Answer::PubComp),
        0x90 => codes(body, level, Answer::SubAck),
        0xB0 => codes(body, level, Answer::UnsubAck),
        0xD0 => Answer::Pong,
        0xE0 if level == V5 => {
            body.get_u8();
            Answer::Disconnect
        }
        _ => panic!("a packet that begins with {first:02x}"),
    }
}

fn ack(body: &mut &[u8], level: u8, answer: impl Fn(u16, u8) -> Answer) -> Answer {
    let id = body.get_u16();
    assert!(id > 0, "an acknowledgement of no packet");
    match level == V5 && !body.is_empty() {
        true => answer(id, body.get_u8()),
        false => answer(id, 0),
    }
}

fn codes(body: &mut &[u8], level: u8, answer: impl Fn(u16, Vec<u8>) -> Answer) -> Answer {
    let id = body.get_u16();
    properties(body, level);
    let codes = body.to_vec();
    body.advance(codes.len());
    answer(id, codes)
}

/// The properties that a server may set, of which aliases and subscription identifiers are given back.
fn properties(body: &mut &[u8], level: u8) -> (Option<u16>, Vec<u32>) {
    let (mut alias, mut ids) = (None, Vec::new());
    if level < V5 {
        return (alias, ids);
    }
    let length = variable(body).expect("the length of properties");
    let bytes = body.copy_to_bytes(length);
    let mut bytes = &bytes[..];
    while !bytes.is_empty() {
        match bytes.get_u8() {
            0x21 | 0x22 | 0x13 => drop(bytes.get_u16()),
            0x27 => drop(bytes.get_u32()),
            0x12 => drop(text(&mut bytes)),
            0x23 => alias = Some(bytes.get_u16()),
            0x0B => ids.push(variable(&mut bytes).expect("a number") as u32),
            other => panic!("the property {other:02x} from nowhere"),
        }
    }
    (alias, ids)
}

fn publish(first: u8, body: &mut &[u8], level: u8) -> Publish {
    let qos = first >> 1 & 3;
    assert!(qos < 3, "a message of quality of service 3");
    let topic = text(body);
    let id = if qos > 0 { body.get_u16() } else { 0 };
    assert!(qos == 0 || id > 0, "a message without an identifier");
    let dup = first & 8 != 0;
    assert!(qos > 0 || !dup, "DUP on a message of QoS 0");
    let (alias, subscription_ids) = properties(body, level);
    let payload = body.to_vec();
    body.advance(payload.len());
    Publish {
        topic,
        alias,
        qos,
        retain: first & 1 != 0,
        dup,
        id,
        subscription_ids,
        payload,
    }
}
