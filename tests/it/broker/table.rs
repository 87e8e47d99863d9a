//! `docs/mqtt-conformance.md`: every normative statement of the standards, with what shows it. Made from the lists of statements
//! and from what the exchanges and tests say of themselves; never edited by hand.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use super::notation::{Exchange, Version};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/mqtt-conformance.md");
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/broker/tests");

/// A statement: its number, in our words what it demands, and why there is nothing to show, if that is so.
struct Statement {
    number: String,
    text: String,
    excuse: Option<String>,
}

fn statements(text: &str) -> Vec<Statement> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (number, rest) = line.split_once(' ').expect("a number and a text");
            let (text, excuse) = match rest.split_once(" -- ") {
                Some((text, excuse)) => (text, Some(excuse.to_owned())),
                None => (rest, None),
            };
            Statement {
                number: number.to_owned(),
                text: text.to_owned(),
                excuse,
            }
        })
        .collect()
}

/// The tests of `src/broker/tests` by the statements that the comments above them name, as `[MQTT-3.1.0-2]` of the version that
/// stands there (`of 3.1.1`, `of 5`; without one: of both).
fn tests() -> Vec<(String, Option<Version>, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(SOURCES).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut waiting: Vec<(String, Option<Version>)> = Vec::new();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let line = line.trim();
            if let Some(comment) = line.strip_prefix("///") {
                for part in comment.split("[MQTT-").skip(1) {
                    let (number, rest) = part.split_once(']').unwrap();
                    let version = match rest.trim_start() {
                        rest if rest.starts_with("of 3.1.1") => Some(Version::V311),
                        rest if rest.starts_with("of 5") => Some(Version::V5),
                        _ => None,
                    };
                    waiting.push((number.to_owned(), version));
                }
            } else if let Some(name) = line.strip_prefix("async fn ") {
                let name = name.split('(').next().unwrap_or_default();
                for (number, version) in waiting.drain(..) {
                    found.push((number, version, format!("{module}::{name}")));
                }
            } else if !line.starts_with("#[") {
                waiting.clear();
            }
        }
    }
    found.sort_by(|one, other| one.2.cmp(&other.2));
    found
}

/// Makes the document.
pub(super) fn document(exchanges: &[Exchange]) -> String {
    let mut out = String::from(
        "# What of the MQTT standards is shown by tests\n\n\
        Made by `make mqtt-conformance` from `tests/it/broker`; not edited by hand. Each normative statement, in our words, with \
        the exchange of packets (`tests/it/broker/exchanges`) or the test (`src/broker/tests`) that shows it; or why nothing is to be shown.\n",
    );
    let lists = [
        (
            Version::V311,
            "MQTT 3.1.1",
            include_str!("statements-3.1.1.txt"),
        ),
        (Version::V5, "MQTT 5", include_str!("statements-5.txt")),
    ];
    let tests = tests();
    let mut rows = String::new();
    for (version, title, list) in lists {
        let mut shown: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for exchange in exchanges {
            for (of, numbers) in &exchange.shows {
                for number in numbers.iter().filter(|_| *of == version) {
                    shown
                        .entry(number)
                        .or_default()
                        .push(exchange.title.clone());
                }
            }
        }
        for (number, of, name) in &tests {
            if of.is_none_or(|of| of == version) {
                shown.entry(number).or_default().push(format!("`{name}`"));
            }
        }
        let statements = statements(list);
        let (mut count, mut excused, mut missing) = (0, 0, 0);
        let mut table = String::new();
        for statement in &statements {
            let by = shown.remove(&*statement.number);
            let cell = match (by, &statement.excuse) {
                (Some(by), _) => {
                    count += 1;
                    by.join("; ")
                }
                (None, Some(excuse)) => {
                    excused += 1;
                    format!("*{excuse}*")
                }
                (None, None) => {
                    missing += 1;
                    "**not shown yet**".to_owned()
                }
            };
            let _ = writeln!(
                table,
                "| {} | {} | {cell} |",
                statement.number, statement.text
            );
        }
        assert!(
            shown
                .keys()
                .all(|number| tests.iter().any(|test| test.0 == *number)),
            "{title} has no such statements: {:?}",
            shown.keys()
        );
        let _ = writeln!(
            out,
            "\n**{title}**: of {} statements {count} are shown, {excused} concern only clients or what this broker does not do, {missing} are not shown yet.",
            statements.len()
        );
        let _ = write!(
            rows,
            "\n## {title}\n\n| MQTT- | the broker | shown by |\n|---|---|---|\n{table}"
        );
    }
    out + &rows
}

/// Whether the document is what the lists and tests make of it; with `FLOWRILL_WRITE_DOCS` set it is written.
pub(super) fn check(exchanges: &[Exchange]) {
    let made = document(exchanges);
    if std::env::var_os("FLOWRILL_WRITE_DOCS").is_some() {
        fs::write(DOCUMENT, &made).unwrap();
    }
    let there = fs::read_to_string(Path::new(DOCUMENT)).unwrap_or_default();
    assert!(
        there == made,
        "docs/mqtt-conformance.md is out of date: run make mqtt-conformance"
    );
}
