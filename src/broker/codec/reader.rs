//! Reads the data types of MQTT (section 1.5 of the standard) from a packet's bytes.

use super::{Refused, malformed, protocol_error};

/// A cursor over the rest of one packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Refused> {
        let (head, tail) = self
            .0
            .split_at_checked(count)
            .ok_or(malformed("a packet ends too early"))?;
        self.0 = tail;
        Ok(head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Refused> {
        let (first, rest) = self
            .0
            .split_first()
            .ok_or(malformed("a packet ends too early"))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Refused> {
        let (bytes, rest) = self
            .0
            .split_first_chunk()
            .ok_or(malformed("a packet ends too early"))?;
        self.0 = rest;
        Ok(u16::from_be_bytes(*bytes))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Refused> {
        let (bytes, rest) = self
            .0
            .split_first_chunk()
            .ok_or(malformed("a packet ends too early"))?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*bytes))
    }

    /// A packet identifier; zero is none [MQTT-2.2.1-3].
    pub(super) fn packet_id(&mut self) -> Result<u16, Refused> {
        match self.u16()? {
            0 => Err(protocol_error("the packet identifier is zero")),
            id => Ok(id),
        }
    }

    /// Binary data with its length before it.
    pub(super) fn binary(&mut self) -> Result<&'a [u8], Refused> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// A UTF-8 string: well-formed [MQTT-1.5.4-1] and without U+0000 [MQTT-1.5.4-2].
    pub(super) fn text(&mut self) -> Result<&'a str, Refused> {
        let text = std::str::from_utf8(self.binary()?)
            .map_err(|_| malformed("a text is not valid UTF-8"))?;
        match text.as_bytes().contains(&0) {
            true => Err(malformed("a text contains the character U+0000")),
            false => Ok(text),
        }
    }

    /// A variable byte integer in its shortest form [MQTT-1.5.5-1].
    pub(super) fn variable(&mut self) -> Result<u32, Refused> {
        match variable_integer(self.0)? {
            Some((value, length)) => {
                self.take(length)?;
                Ok(value)
            }
            None => Err(malformed("a packet ends too early")),
        }
    }
}

/// A variable byte integer at the start of `bytes` and how long it is; none when more bytes are needed.
pub(super) fn variable_integer(bytes: &[u8]) -> Result<Option<(u32, usize)>, Refused> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            if index > 0 && *byte == 0 {
                return Err(malformed("a length is not in its shortest form"));
            }
            return Ok(Some((value, index + 1)));
        }
    }
    match bytes.len() {
        0..4 => Ok(None),
        _ => Err(malformed("a length takes more than four bytes")),
    }
}
