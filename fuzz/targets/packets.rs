//! Any bytes are packets or refused, however they come in; what is written is read again as the same.

#![no_main]

use bytes::{Buf, BytesMut};
use flowrill::broker::fuzzing::{LEVELS, decode};
use libfuzzer_sys::fuzz_target;

/// Larger than any input.
const NO_LIMIT: usize = 1 << 28;
const SMALL: usize = 32;

fuzz_target!(|data: &[u8]| {
    for level in LEVELS {
        let whole = read(data, level, NO_LIMIT, data.len().max(1));
        assert_eq!(whole, read(data, level, NO_LIMIT, 1), "byte for byte");
        let small = read(data, level, SMALL, data.len().max(1));
        assert!(
            whole.packets.starts_with(&small.packets),
            "a limit changes packets"
        );
        write_again(data, level);
    }
});

#[derive(Debug, PartialEq)]
struct Outcome {
    packets: Vec<String>,
    refused: Option<String>,
    left: usize,
}

/// Reads what there is, `step` bytes at a time.
fn read(data: &[u8], level: u8, limit: usize, step: usize) -> Outcome {
    let mut outcome = Outcome {
        packets: Vec::new(),
        refused: None,
        left: 0,
    };
    let mut buffer = BytesMut::new();
    let mut taken = 0;
    for piece in data.chunks(step) {
        buffer.extend_from_slice(piece);
        loop {
            let before = buffer.remaining();
            match decode(&mut buffer, level, limit) {
                Ok(Some(packet)) => {
                    let size = before - buffer.remaining();
                    assert!((2..=limit).contains(&size), "a packet of {size} bytes");
                    taken += size;
                    outcome.packets.push(format!("{packet:?}"));
                }
                Ok(None) => {
                    assert_eq!(buffer.remaining(), before);
                    break;
                }
                Err(refused) => {
                    outcome.refused = Some(refused);
                    outcome.left = data.len() - taken;
                    return outcome;
                }
            }
        }
    }
    outcome.left = data.len() - taken;
    outcome
}

/// Decode, encode, decode: the same. And encoded once more, the same bytes.
fn write_again(data: &[u8], level: u8) {
    let mut buffer = BytesMut::from(data);
    while let Ok(Some(packet)) = decode(&mut buffer, level, NO_LIMIT) {
        let meant = format!("{packet:?}");
        let Some(written) = packet.encode(level) else {
            continue;
        };
        let mut again = written.clone();
        let read = decode(&mut again, level, NO_LIMIT);
        let read = read
            .unwrap_or_else(|refused| panic!("{meant} as {written:02x?} is refused: {refused}"))
            .unwrap_or_else(|| panic!("{meant} as {written:02x?} is not complete"));
        assert_eq!(format!("{read:?}"), meant, "{written:02x?}");
        assert!(
            !again.has_remaining(),
            "{written:02x?} is more than {meant}"
        );
        assert_eq!(read.encode(level), Some(written));
    }
}
