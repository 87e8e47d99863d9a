//! What cheerio knows of selectors and scraper does not, written as selectors that it knows: `:input`, `:header`,
//! `[name!=value]`, values without quotes.

/// css-select's names for longer selectors, in its order.
const ALIASES: [(&str, &str); 21] = [
    ("any-link", ":is(a, area, link)[href]"),
    ("link", ":is(a, area, link)[href]"),
    (
        "disabled",
        ":is(:is(button, input, select, textarea, optgroup, option)[disabled], optgroup[disabled] > option)",
    ),
    (
        "enabled",
        ":not(:is(:is(button, input, select, textarea, optgroup, option)[disabled], optgroup[disabled] > option))",
    ),
    (
        "checked",
        ":is(:is(input[type=radio], input[type=checkbox])[checked], option[selected], \
         select:not([multiple]):not(:has(> option[selected])) > option:first-of-type)",
    ),
    ("required", ":is(input, select, textarea)[required]"),
    ("optional", ":is(input, select, textarea):not([required])"),
    (
        "selected",
        ":is(option[selected], select:not([multiple]):not(:has(> option[selected])) > option:first-of-type)",
    ),
    ("checkbox", "[type=checkbox]"),
    ("file", "[type=file]"),
    ("password", "[type=password]"),
    ("radio", "[type=radio]"),
    ("reset", "[type=reset]"),
    ("image", "[type=image]"),
    ("submit", "[type=submit]"),
    ("parent", ":not(:empty)"),
    ("header", ":is(h1, h2, h3, h4, h5, h6)"),
    ("button", ":is(button, input[type=button])"),
    ("input", ":is(input, textarea, select, button)"),
    (
        "text",
        ":is(input:not([type]), input[type=''], input[type=text])",
    ),
    ("matches", ":is"),
];

/// The selector, as scraper reads it.
pub(super) fn resolve(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find(['\\', '"', '\'', '[', ':']) {
        out.push_str(&rest[..at]);
        let found = &rest[at..];
        let length = match found.as_bytes()[0] {
            b'\\' => 1 + found[1..].chars().next().map_or(0, char::len_utf8),
            b'[' => {
                let length = until(found, ']');
                out.push_str(&attribute(&found[..length]));
                rest = &found[length..];
                continue;
            }
            b':' if found.starts_with("::") => 2,
            b':' => {
                let end = found[1..]
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                    .map_or(found.len(), |end| end + 1);
                let name = found[1..end].to_ascii_lowercase();
                let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
                out.push_str(alias.map_or(&found[..end], |(_, meaning)| meaning));
                rest = &found[end..];
                continue;
            }
            quote => until(found, char::from(quote)),
        };
        out.push_str(&found[..length]);
        rest = &found[length..];
    }
    out + rest
}

/// How long the text is up to `end`, which does not count within quotes; its first character is no end.
fn until(text: &str, end: char) -> usize {
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in text.char_indices().skip(1) {
        match (c, quote) {
            _ if escaped => escaped = false,
            ('\\', _) => escaped = true,
            (c, None) if c == end => return at + c.len_utf8(),
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) if end == ']' => quote = Some(c),
            _ => {}
        }
    }
    text.len()
}

/// `[name!=value]` is what has not this value, or no such attribute; a value needs no quotes.
fn attribute(given: &str) -> String {
    let inside = given.trim_start_matches('[').trim_end_matches(']');
    let Some(at) = inside.find('=') else {
        return given.to_owned();
    };
    let value = inside[at + 1..].trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii();
    let value = match value {
        value if !value.is_empty() && value.chars().all(plain) => format!("\"{value}\""),
        value => value.to_owned(),
    };
    match inside[..at].strip_suffix('!') {
        Some(name) => format!(":not([{name}={value}])"),
        None => format!("[{}={value}]", &inside[..at]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scraper_knows_stays() {
        for css in [
            "p.a > b",
            "a[href='x[y]']",
            "a::before",
            "p\\:first",
            "\"[a!=b]",
            ":not(.a)",
            "",
            "[",
            "p:",
            "\\",
        ] {
            assert_eq!(resolve(css), css);
        }
    }

    #[test]
    fn the_rest_is_resolved() {
        for (css, expected) in [
            ("[data-n^=1]", "[data-n^=\"1\"]"),
            ("p[id!='x y'] b", "p:not([id='x y']) b"),
            ("div:MATCHES(.a):parent", "div:is(.a):not(:empty)"),
            (":not(:header)", ":not(:is(h1, h2, h3, h4, h5, h6))"),
        ] {
            assert_eq!(resolve(css), expected);
        }
    }
}
