//! The namespaces of elements and attributes, as sax-js tells them with `xmlns`.

use indexmap::IndexMap;

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// A name taken apart, and the namespace of its prefix.
#[derive(Debug, PartialEq)]
pub(super) struct Qualified {
    pub(super) prefix: String,
    pub(super) local: String,
    pub(super) uri: String,
}

/// The names of an element and of its attributes, in their order.
#[derive(Debug, PartialEq)]
pub(super) struct Names {
    pub(super) element: Qualified,
    pub(super) attributes: Vec<Qualified>,
}

/// What prefixes stand for, an entry for each open element.
#[derive(Default)]
pub(super) struct Namespaces {
    scopes: Vec<Vec<(String, String)>>,
}

impl Namespaces {
    /// An element begins.
    pub(super) fn open(&mut self) {
        self.scopes.push(Vec::new());
    }

    /// The element that began last ends.
    pub(super) fn close(&mut self) {
        self.scopes.pop();
    }

    /// Takes an attribute of the element, if it gives a prefix its namespace.
    ///
    /// # Errors
    /// When the prefix has another one already, for ever.
    pub(super) fn bind(&mut self, name: &str, value: &str) -> Result<(), String> {
        let (prefix, local) = parts(name, true);
        if prefix != "xmlns" {
            return Ok(());
        }
        for (fixed, uri) in [("xml", XML), ("xmlns", XMLNS)] {
            if local == fixed && value != uri {
                return Err(format!(
                    "{fixed}: prefix must be bound to {uri}\nActual: {value}"
                ));
            }
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.push((local.to_owned(), value.to_owned()));
        }
        Ok(())
    }

    /// The names of an element. Attributes without a prefix are in no namespace.
    ///
    /// # Errors
    /// When a prefix stands for nothing.
    pub(super) fn names(
        &self,
        element: &str,
        attributes: &IndexMap<String, String>,
    ) -> Result<Names, String> {
        let unbound = |name: &str| format!("Unbound namespace prefix: {name:?}");
        let named = |(prefix, local): (&str, &str), uri: &str| Qualified {
            prefix: prefix.to_owned(),
            local: local.to_owned(),
            uri: uri.to_owned(),
        };
        let parted = parts(element, false);
        let uri = self.uri(parted.0);
        if uri.is_empty() && !parted.0.is_empty() {
            return Err(unbound(element));
        }
        let element = named(parted, uri);
        let attributes = attributes.keys().map(|name| {
            let parted = parts(name, true);
            let uri = match parted.0 {
                "" => "",
                prefix => self.uri(prefix),
            };
            if uri.is_empty() && !matches!(parted.0, "" | "xmlns") {
                return Err(unbound(parted.0));
            }
            Ok(named(parted, uri))
        });
        Ok(Names {
            element,
            attributes: attributes.collect::<Result<_, _>>()?,
        })
    }

    fn uri(&self, prefix: &str) -> &str {
        let bound = self
            .scopes
            .iter()
            .rev()
            .flat_map(|scope| scope.iter().rev());
        let found = bound.into_iter().find(|(name, _)| name == prefix);
        match (found, prefix) {
            (Some((_, uri)), _) => uri,
            (None, "xml") => XML,
            (None, "xmlns") => XMLNS,
            (None, _) => "",
        }
    }
}

/// Prefix and local name; of a name with more colons the third part and those after it fall away.
fn parts(name: &str, is_attribute: bool) -> (&str, &str) {
    if is_attribute && name == "xmlns" {
        return ("xmlns", "");
    }
    match name.split_once(':') {
        Some((prefix, rest)) => (prefix, rest.split(':').next().unwrap_or_default()),
        None => ("", name),
    }
}
