//! `flowrill check FILE`: what is wrong in a flow file, with its place in the file.

use std::{collections::HashMap, path::Path};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{CANNOT, complain, say};
use crate::{
    catalog::Catalog,
    flow::{Flows, Level, Problem, lint},
};

/// Prints the mistakes in a flow file. The exit code: 0 without errors, 1 with some, 2 when the file can't be read.
pub fn check(file: &Path, catalog: &Catalog) -> u8 {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            complain(format!(
                "{} can't be read: {error}. Name a flow file that is there",
                file.display()
            ));
            return CANNOT;
        }
    };
    let flows = match Flows::parse(&text) {
        Ok(flows) => flows,
        Err(reason) => {
            say(format!("{}: error: {reason}", file.display()));
            return 1;
        }
    };
    let places = Places::of(&text);
    let problems = lint(&flows, catalog);
    for problem in &problems {
        say(line(file, &places, problem));
    }
    let errors = problems
        .iter()
        .filter(|problem| problem.level == Level::Error)
        .count();
    say(format!(
        "{}: {} entries, {errors} errors, {} warnings",
        file.display(),
        flows.items.len(),
        problems.len() - errors
    ));
    u8::from(errors > 0)
}

fn line(file: &Path, places: &Places, problem: &Problem) -> String {
    let level = match problem.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let place = problem.node.as_ref().and_then(|id| places.by_id.get(&**id));
    let (file, message) = (file.display(), &problem.message);
    match (place, &problem.node) {
        (Some(place), Some(id)) => format!(
            "{file}:{}: {level}: entry {} (\"{id}\"): {message}",
            place.line, place.entry
        ),
        _ => format!("{file}: {level}: {message}"),
    }
}

/// Where each entry of a flow file begins.
struct Places {
    by_id: HashMap<String, Place>,
}

struct Place {
    entry: usize,
    line: usize,
}

#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(borrow)]
    flows: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct WithId {
    id: String,
}

impl Places {
    /// Of an id that is there twice, the last place: it is the one that runs.
    fn of(text: &str) -> Self {
        let body = text.trim_start_matches('\u{feff}');
        let entries = serde_json::from_str::<Vec<&RawValue>>(body)
            .or_else(|_| serde_json::from_str::<Wrapped>(body).map(|found| found.flows))
            .unwrap_or_default();
        let start = body.as_ptr() as usize;
        let (mut line, mut counted) = (1, 0);
        let mut by_id = HashMap::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let offset = (entry.get().as_ptr() as usize).saturating_sub(start);
            line += body
                .get(counted..offset)
                .map_or(0, |part| part.matches('\n').count());
            counted = offset;
            if let Ok(item) = serde_json::from_str::<WithId>(entry.get()) {
                let place = Place {
                    entry: index + 1,
                    line,
                };
                by_id.insert(item.id, place);
            }
        }
        Self { by_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_entries_by_line() {
        let array = "\u{feff}[\n {\"id\": \"a\"},\n {\"x\": 1},\n\n {\n\"id\": \"b\"}]";
        let wrapped = "{\"flows\":\n[{\"id\": \"a\"},\n\n\n{\"id\": \"b\"}]}";
        for (text, a, b, entry) in [(array, 2, 5, 3), (wrapped, 2, 5, 2)] {
            let places = Places::of(text);
            assert_eq!(places.by_id["a"].line, a);
            assert_eq!(places.by_id["b"].line, b);
            assert_eq!(places.by_id["b"].entry, entry);
        }
    }
}
