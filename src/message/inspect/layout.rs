//! Where the parts of a container stand: on one line, in columns, or one on each line.

use super::LINE;

/// Levels of containers on one line.
const LEVELS_ON_A_LINE: usize = 3;
/// A list with more entries stands in columns, if they are short.
const FEW: usize = 6;
const MOST_COLUMNS: usize = 12;
/// The comma and the blank between two entries.
const BETWEEN: usize = 2;

/// The length of a text as JavaScript counts it.
pub(super) fn units(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.encode_utf16().count(),
    }
}

/// A container that has been written but for its layout.
pub(super) struct Parts {
    /// What stands before the bracket.
    pub(super) base: String,
    open: String,
    parts: Vec<String>,
    list: Option<List>,
}

struct List {
    is_numeric: bool,
    /// The last part says how many more there are.
    has_rest: bool,
}

impl Parts {
    /// Properties, or entries that never stand in columns.
    pub(super) fn object(open: String, parts: Vec<String>) -> Self {
        Self {
            base: String::new(),
            open,
            parts,
            list: None,
        }
    }

    /// Entries of a list.
    pub(super) fn list(open: String, parts: Vec<String>, is_numeric: bool, has_rest: bool) -> Self {
        let list = Some(List {
            is_numeric,
            has_rest,
        });
        Self {
            list,
            ..Self::object(open, parts)
        }
    }

    /// Something in it leads back to it.
    pub(super) fn refer(&mut self, circle: usize) {
        self.base = match self.base.is_empty() {
            true => format!("<ref *{circle}>"),
            false => format!("<ref *{circle}> {}", self.base),
        };
    }

    /// The text. `depth` is how many levels lie between it and the container that was begun last.
    pub(super) fn lay_out(self, indent: usize, depth: usize) -> String {
        let columns = self
            .list
            .as_ref()
            .filter(|_| self.parts.len() > FEW)
            .and_then(|list| in_columns(&self.parts, list, indent));
        let start = match self.base.is_empty() {
            true => self.open.clone(),
            false => format!("{} {}", self.base, self.open),
        };
        let close = if self.open.ends_with('[') { ']' } else { '}' };
        if columns.is_none() && depth < LEVELS_ON_A_LINE && self.fits(indent) {
            return format!("{start} {} {close}", self.parts.join(", "));
        }
        let margin = " ".repeat(indent);
        let lines = columns.unwrap_or(self.parts);
        let lines = lines.join(&format!(",\n{margin}  "));
        format!("{start}\n{margin}  {lines}\n{margin}{close}")
    }

    fn fits(&self, indent: usize) -> bool {
        let around = indent + units(&self.open) + units(&self.base) + 10;
        let mut length = around + 2 * self.parts.len();
        for part in &self.parts {
            length += units(part);
            if length > LINE || part.contains('\n') {
                return false;
            }
        }
        length <= LINE && !self.base.contains('\n')
    }
}

/// The lines of a list in columns; none if its entries are too long or too different.
fn in_columns(parts: &[String], list: &List, indent: usize) -> Option<Vec<String>> {
    let (cells, rest) = match parts.split_last() {
        Some((rest, cells)) if list.has_rest => (cells, Some(rest)),
        _ => (parts, None),
    };
    let lengths: Vec<usize> = cells.iter().map(|cell| units(cell)).collect();
    let widest = lengths.iter().max()? + BETWEEN;
    let total: usize = lengths.iter().map(|length| length + BETWEEN).sum();
    let is_even = total as f64 / widest as f64 > 5.0 || widest <= FEW + BETWEEN;
    if widest * 3 + indent >= LINE || !is_even {
        return None;
    }
    // About as wide as it is high: a character is 2.5 times as high as wide.
    let bias = (widest as f64 - total as f64 / parts.len() as f64).sqrt();
    let biased = (widest as f64 - 3.0 - bias).max(1.0);
    let square = ((2.5 * biased * cells.len() as f64).sqrt() / biased).round() as usize;
    let columns = square.min((LINE - indent) / widest).min(MOST_COLUMNS);
    if columns <= 1 {
        return None;
    }
    let width = |column: usize| {
        let in_it = lengths.iter().skip(column).step_by(columns);
        in_it.max().map_or(0, |longest| longest + BETWEEN)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &[String]| {
        let last = row.len().saturating_sub(1);
        let cell = |(at, text): (usize, &String)| {
            let width = widths.get(at).copied().unwrap_or_default();
            let blanks = |text: &str, width: usize| " ".repeat(width.saturating_sub(units(text)));
            match (list.is_numeric, at == last) {
                (true, true) => blanks(text, width.saturating_sub(BETWEEN)) + text,
                (true, false) => format!("{}{text}, ", blanks(text, width.saturating_sub(BETWEEN))),
                (false, true) => text.clone(),
                (false, false) => {
                    format!("{text}, {}", blanks(text, width.saturating_sub(BETWEEN)))
                }
            }
        };
        row.iter().enumerate().map(cell).collect::<String>()
    };
    let lines = cells.chunks(columns).map(line);
    Some(lines.chain(rest.cloned()).collect())
}
