//! The modules of Node.js that functions may ask for in their settings.

/// Modules by their names, each a library of ours.
const OFFERED: &[(&str, &str)] = &[
    ("buffer", "buffer"),
    ("crypto", "crypto"),
    ("events", "events"),
    ("os", "os"),
    ("path", "path"),
    ("querystring", "querystring"),
    ("url", "url"),
    ("util", "util"),
];

/// Names that a function finds in its code, so that no module can have them.
const TAKEN: &[&str] = &[
    "Buffer",
    "Date",
    "RED",
    "URL",
    "URLSearchParams",
    "__node__",
    "clearInterval",
    "clearTimeout",
    "console",
    "context",
    "env",
    "flow",
    "global",
    "node",
    "promisify",
    "setInterval",
    "setTimeout",
    "util",
];

/// A module under the name that the code has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    pub variable: String,
    pub(super) library: &'static str,
}

impl Module {
    /// The module of this name, with or without `node:`; none when it is not offered.
    pub fn named(name: &str, variable: &str) -> Option<Self> {
        let name = name.strip_prefix("node:").unwrap_or(name);
        let (_, library) = OFFERED.iter().find(|(offered, _)| *offered == name)?;
        Some(Self {
            variable: variable.to_owned(),
            library,
        })
    }

    /// The names of all that there are.
    pub fn offered() -> impl Iterator<Item = &'static str> {
        OFFERED.iter().map(|(name, _)| *name)
    }
}

/// Whether code already finds something under this name.
pub fn is_taken(variable: &str) -> bool {
    TAKEN.contains(&variable)
}
