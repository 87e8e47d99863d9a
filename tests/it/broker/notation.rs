//! Exchanges of packets as text: what each client sends, and what must come back.
//!
//! ```text
//! == A second CONNECT ends the connection
//! 3.1.1: 3.1.0-2
//! 5: 3.1.0-2
//! a > 10 ['MQTT' V 02 003c {} 'a']
//! a < 20 [00 00 ..]
//! a > 10 ['MQTT' V 02 003c {} 'a']
//! a ends 82
//! ```
//!
//! Bytes are hexadecimal; `"text"` is its bytes, `'text'` has its length before it, `[…]` the length of a packet, `{…}` the
//! length of properties, and is not there before MQTT 5. `V` is the protocol's level, `5(…)` is there in MQTT 5 only, `*NN(…)`
//! is so many times the same, and `..` whatever else a packet has.

/// The protocol that an exchange speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V311,
    V5,
}

impl Version {
    pub(super) const ALL: [(&str, Self); 2] = [("3.1.1", Self::V311), ("5", Self::V5)];
}

/// One exchange.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) title: String,
    /// The versions it is for, each with the statements that it shows.
    pub(super) shows: Vec<(Version, Vec<String>)>,
    /// Lines with their numbers.
    pub(super) steps: Vec<(usize, Step)>,
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) client: String,
    pub(super) action: Action,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// `a > …`
    Sends(String),
    /// `a < …`: the next packet.
    Gets(String),
    /// `a ~ …`: one of the next packets; those of several such lines may come in any order.
    GetsSometime(String),
    /// `a ends 82`: the connection is closed, in MQTT 5 after a DISCONNECT with this reason code (`--`: without one).
    Ends(String),
    /// `a connects`, with more than that behind it as the client sends it.
    Connects,
    /// `a subscribes 'filter' 01`
    Subscribes(String),
    /// `a hears nothing`: what comes next is the answer to a ping.
    HearsNothing,
    /// `a drops`: it closes the connection without a word.
    Drops,
    /// `a waits 1200`: so many milliseconds.
    Waits(u64),
}

/// Reads a file of exchanges.
pub(super) fn read(name: &str, text: &str) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let (number, line) = (number + 1, line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("== ") {
            exchanges.push(Exchange {
                title: title.to_owned(),
                shows: Vec::new(),
                steps: Vec::new(),
            });
            continue;
        }
        let exchange = exchanges
            .last_mut()
            .unwrap_or_else(|| panic!("{name}:{number}: a line before the first title"));
        let version = Version::ALL.iter().find_map(|(label, version)| {
            Some((*version, line.strip_prefix(label)?.strip_prefix(':')?))
        });
        if let Some((version, statements)) = version {
            let statements = statements.split(',').map(|one| one.trim().to_owned());
            let statements = statements.filter(|one| !one.is_empty()).collect();
            exchange.shows.push((version, statements));
            continue;
        }
        let step = step(line).unwrap_or_else(|| panic!("{name}:{number}: not understood: {line}"));
        exchange.steps.push((number, step));
    }
    exchanges
}

fn step(line: &str) -> Option<Step> {
    let (client, rest) = line.split_once(' ')?;
    let text = |rest: &str| rest.trim().to_owned();
    let action = if let Some(packet) = rest.strip_prefix("> ") {
        Action::Sends(text(packet))
    } else if let Some(packet) = rest.strip_prefix("< ") {
        Action::Gets(text(packet))
    } else if let Some(packet) = rest.strip_prefix("~ ") {
        Action::GetsSometime(text(packet))
    } else if let Some(reason) = rest.strip_prefix("ends ") {
        Action::Ends(text(reason))
    } else if let Some(filter) = rest.strip_prefix("subscribes ") {
        Action::Subscribes(text(filter))
    } else if let Some(time) = rest.strip_prefix("waits ") {
        Action::Waits(time.trim().parse().ok()?)
    } else {
        match rest {
            "connects" => Action::Connects,
            "hears nothing" => Action::HearsNothing,
            "drops" => Action::Drops,
            _ => return None,
        }
    };
    Some(Step {
        client: client.to_owned(),
        action,
    })
}

/// The bytes that a text stands for; what `..` stands for is left open.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) bytes: Vec<u8>,
    pub(super) is_open: bool,
}

/// Reads a packet.
pub(super) fn bytes(text: &str, version: Version) -> Pattern {
    let mut reader = Reader {
        rest: text,
        version,
        is_open: false,
    };
    let bytes = reader.until(None);
    Pattern {
        bytes,
        is_open: reader.is_open,
    }
}

struct Reader<'a> {
    rest: &'a str,
    version: Version,
    is_open: bool,
}

impl<'a> Reader<'a> {
    fn until(&mut self, end: Option<char>) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            let Some(next) = self.rest.chars().next() else {
                assert!(end.is_none(), "there is no {end:?}");
                return out;
            };
            if Some(next) == end {
                self.rest = &self.rest[1..];
                return out;
            }
            match next {
                '"' => out.extend(self.quoted('"').as_bytes()),
                '\'' => {
                    let text = self.quoted('\'');
                    out.extend((text.len() as u16).to_be_bytes());
                    out.extend(text.as_bytes());
                }
                '[' | '{' => {
                    self.rest = &self.rest[1..];
                    let inside = self.until(Some(if next == '[' { ']' } else { '}' }));
                    if next == '[' || self.version == Version::V5 {
                        out.extend(variable(inside.len()));
                        out.extend(inside);
                    }
                }
                '*' => {
                    let (count, rest) = self.rest[1..].split_once('(').expect("*NN(");
                    self.rest = rest;
                    let inside = self.until(Some(')'));
                    out.extend(inside.repeat(count.parse().expect("a number")));
                }
                'V' => {
                    self.rest = &self.rest[1..];
                    out.push(match self.version {
                        Version::V311 => 4,
                        Version::V5 => 5,
                    });
                }
                _ if self.rest.starts_with("5(") => {
                    self.rest = &self.rest[2..];
                    let inside = self.until(Some(')'));
                    if self.version == Version::V5 {
                        out.extend(inside);
                    }
                }
                _ if self.rest.starts_with("..") => {
                    self.rest = &self.rest[2..];
                    self.is_open = true;
                }
                _ => {
                    let digits = self.rest.get(..2).expect("two digits");
                    out.push(u8::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{digits}")));
                    self.rest = &self.rest[2..];
                }
            }
        }
    }

    fn quoted(&mut self, quote: char) -> &'a str {
        let (text, rest) = self.rest[1..].split_once(quote).expect("the other quote");
        self.rest = rest;
        text
    }
}

/// A variable byte integer.
pub(super) fn variable(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (value & 0x7F) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

#[test]
fn the_notation_means_bytes() {
    let read = |text, version| bytes(text, version).bytes;
    let connect = "10 ['MQTT' V 02 003c {} 'a']";
    assert_eq!(
        read(connect, Version::V311),
        b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01a"
    );
    assert_eq!(
        read(connect, Version::V5),
        b"\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01a"
    );
    assert_eq!(read("*3(\"ab\") 5(ff)", Version::V311), b"ababab");
    assert!(bytes("20 [00 ..]", Version::V5).is_open);
}
