//! What a published payload becomes in a message: text, JSON, bytes or Base64, as asked or as it looks.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use crate::{
    message::{Value, parse_json},
    mqtt::PublishProperties,
};

/// How a node wants its payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Datatype {
    /// JSON parsed, else text, else bytes.
    AutoDetect,
    /// Text, else bytes.
    Auto,
    Utf8,
    Json,
    Buffer,
    Base64,
}

/// Why a payload is not what the node was told to expect, and the payload as the error's message has it.
#[derive(Debug, PartialEq)]
pub(super) enum Unreadable {
    /// No text at all.
    NoText(Value),
    /// Text that is no JSON.
    NoJson(Value),
}

impl Datatype {
    /// By Node-RED's name; unknown ones are read as it does, as `auto`.
    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "auto-detect" => Self::AutoDetect,
            "utf8" | "" => Self::Utf8,
            "json" => Self::Json,
            "buffer" => Self::Buffer,
            "base64" => Self::Base64,
            _ => Self::Auto,
        }
    }

    /// The payload as a value.
    pub(super) fn read(
        self,
        payload: &Bytes,
        properties: Option<&PublishProperties>,
    ) -> Result<Value, Unreadable> {
        match self {
            Self::Buffer => Ok(payload.clone().into()),
            Self::Base64 => Ok(STANDARD.encode(payload).into()),
            Self::Utf8 => Ok(String::from_utf8_lossy(payload).as_ref().into()),
            Self::Json => match std::str::from_utf8(payload) {
                Ok(text) => {
                    parse_json(text).map_err(|_| Unreadable::NoJson(payload.clone().into()))
                }
                Err(_) => Err(Unreadable::NoText(payload.clone().into())),
            },
            Self::Auto | Self::AutoDetect => match media(properties) {
                Media::Bytes => Ok(payload.clone().into()),
                Media::Text => Ok(String::from_utf8_lossy(payload).as_ref().into()),
                Media::Json => {
                    let text = String::from_utf8_lossy(payload);
                    let parsed =
                        parse_json(&text).map_err(|_| Unreadable::NoJson(text.as_ref().into()))?;
                    Ok(match self {
                        Self::AutoDetect => parsed,
                        _ => text.as_ref().into(),
                    })
                }
                Media::Unknown => Ok(self.guess(payload)),
            },
        }
    }

    fn guess(self, payload: &Bytes) -> Value {
        let Ok(text) = std::str::from_utf8(payload) else {
            return payload.clone().into();
        };
        if self == Self::AutoDetect
            && may_be_json(text)
            && let Ok(parsed) = parse_json(text)
        {
            return parsed;
        }
        text.into()
    }
}

/// Whether text begins as JSON does; spares most text an attempt.
fn may_be_json(text: &str) -> bool {
    text.trim_start_matches([' ', '\t', '\r', '\n'])
        .bytes()
        .next()
        .is_some_and(|first| {
            matches!(
                first,
                b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'
            )
        })
}

/// What an MQTT 5 content type says.
enum Media {
    Text,
    Json,
    Bytes,
    Unknown,
}

fn media(properties: Option<&PublishProperties>) -> Media {
    let Some(name) = properties.and_then(|properties| properties.content_type.as_deref()) else {
        return Media::Unknown;
    };
    let name = name.to_ascii_lowercase();
    match &*name {
        "application/json" => Media::Json,
        "text/css" | "text/html" | "text/plain" | "image/svg+xml" | "application/xml" => {
            Media::Text
        }
        "application/octet-stream"
        | "application/pdf"
        | "application/x-gtar"
        | "application/x-gzip"
        | "application/x-tar"
        | "application/zip" => Media::Bytes,
        _ if ["audio/", "image/", "video/"]
            .iter()
            .any(|kind| name.starts_with(kind)) =>
        {
            Media::Bytes
        }
        _ => Media::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(datatype: &str, payload: &'static [u8]) -> Result<Value, Unreadable> {
        Datatype::from_name(datatype).read(&Bytes::from_static(payload), None)
    }

    fn json(text: &str) -> Value {
        parse_json(text).unwrap()
    }

    #[test]
    fn payloads_become_what_the_node_asks_for() {
        let bytes = |bytes: &'static [u8]| Value::from(Bytes::from_static(bytes));
        for (datatype, payload, expected) in [
            ("utf8", &b"21.5"[..], Value::from("21.5")),
            ("utf8", b"\xff", "\u{fffd}".into()),
            ("auto", b"21.5", "21.5".into()),
            ("auto", b"{}", "{}".into()),
            ("auto", b"\xff\x00", bytes(b"\xff\x00")),
            ("auto-detect", b"21.5", 21.5.into()),
            ("auto-detect", b" {\"a\":[1]} ", json("{\"a\":[1]}")),
            ("auto-detect", b"true", true.into()),
            ("auto-detect", b"null", Value::Null),
            ("auto-detect", b"\"on\"", "on".into()),
            ("auto-detect", b"on", "on".into()),
            ("auto-detect", b"2024-01-01", "2024-01-01".into()),
            ("auto-detect", b"", "".into()),
            ("auto-detect", b"\xfe", bytes(b"\xfe")),
            ("buffer", b"on", bytes(b"on")),
            ("base64", b"on", "b24=".into()),
            ("json", b"[1,2]", json("[1,2]")),
            ("json", b"7", 7.into()),
        ] {
            assert_eq!(
                read(datatype, payload),
                Ok(expected),
                "{datatype} {payload:?}"
            );
        }
    }

    #[test]
    fn broken_json_keeps_its_bytes() {
        let bytes = |bytes: &'static [u8]| Value::from(Bytes::from_static(bytes));
        assert_eq!(read("json", b"{"), Err(Unreadable::NoJson(bytes(b"{"))));
        assert_eq!(
            read("json", b"\xff"),
            Err(Unreadable::NoText(bytes(b"\xff")))
        );
    }

    #[test]
    fn a_known_content_type_decides() {
        let with = |content_type: &str, datatype: &str, payload: &'static [u8]| {
            let properties = PublishProperties {
                content_type: Some(content_type.into()),
                ..PublishProperties::default()
            };
            Datatype::from_name(datatype).read(&Bytes::from_static(payload), Some(&properties))
        };
        assert_eq!(with("text/plain", "auto-detect", b"5"), Ok("5".into()));
        assert_eq!(with("application/json", "auto-detect", b"5"), Ok(5.into()));
        assert_eq!(with("application/json", "auto", b"5"), Ok("5".into()));
        assert_eq!(
            with("Application/JSON", "auto", b"x"),
            Err(Unreadable::NoJson("x".into()))
        );
        assert_eq!(
            with("image/png", "auto-detect", b"5"),
            Ok(Bytes::from_static(b"5").into())
        );
        assert_eq!(with("x/y", "auto-detect", b"5"), Ok(5.into()));
        assert_eq!(with("text/plain", "json", b"5"), Ok(5.into()));
    }
}
