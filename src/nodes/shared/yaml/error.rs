//! What is wrong with a YAML text, said as js-yaml says it: reason, place, and the lines around it.

use std::fmt::Write;

use granit_parser::{ErrorKind, Marker, ScanError};

/// Lines shown before and after the one with the mistake.
const BEFORE: usize = 3;
const AFTER: usize = 2;
/// The longest line that is shown.
const WIDTH: usize = 79;

/// A line, counted from 1, and a column, counted from 0.
#[derive(Clone, Copy)]
struct Place {
    line: usize,
    column: usize,
}

/// The sentence for a mistake that the parser found.
pub(super) fn unreadable(text: &str, error: &ScanError) -> String {
    let (reason, place) = explain(text, error);
    sentence(text, &reason, place)
}

/// A reason with its place in the text.
pub(super) fn at(text: &str, reason: &str, place: Marker) -> String {
    sentence(text, reason, Place::of(place))
}

fn sentence(text: &str, reason: &str, place: Place) -> String {
    let snippet = snippet(text, place);
    format!(
        "{reason} ({}:{})\n\n{snippet}",
        place.line,
        place.column + 1
    )
}

impl Place {
    fn of(marker: Marker) -> Self {
        Self {
            line: marker.line().max(1),
            column: marker.col(),
        }
    }

    /// Behind the last line, where js-yaml stands when the text ends too early.
    fn end_of(text: &str) -> Self {
        Self {
            line: text.lines().count() + 1,
            column: 0,
        }
    }
}

/// A text that is one block scalar, which is not indented: the parser takes it, js-yaml does not.
///
/// # Errors
/// js-yaml's sentence.
pub(super) fn unindented_block(text: &str) -> Result<(), String> {
    let mut lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
    let header = lines.next().unwrap_or_default();
    let Some(header) = header.strip_prefix(['|', '>']) else {
        return Ok(());
    };
    let header = header.trim_start_matches(['+', '-']);
    if !header.is_empty() && !header.starts_with([' ', '\t']) || !is_comment(header.trim()) {
        return Ok(());
    }
    let is_closed = text.ends_with('\n');
    let last = text.matches('\n').count() + 1 + usize::from(!is_closed);
    let mut line = 1;
    for content in lines.chain((!is_closed).then_some("")) {
        line += 1;
        if content.starts_with(' ') {
            return Ok(());
        }
        if !content.is_empty() || line == last {
            let place = Place { line, column: 0 };
            return Err(sentence(
                text,
                "missing indentation for block scalar",
                place,
            ));
        }
    }
    Ok(())
}

fn is_comment(text: &str) -> bool {
    text.is_empty() || text.starts_with('#')
}

const OUTSIDE: &str = "end of the stream or a document separator is expected";
const MAPPING: &str = "bad indentation of a mapping entry";
const SEQUENCE: &str = "bad indentation of a sequence entry";

/// js-yaml's sentence and place where it has the same notion, else the parser's own.
fn explain(text: &str, error: &ScanError) -> (String, Place) {
    use ErrorKind as Kind;
    let mut place = Place::of(*error.marker());
    let line = text.lines().nth(place.line - 1).unwrap_or_default();
    // Columns count characters.
    let here: String = line.chars().skip(place.column).collect();
    // The parser looks behind a dash, js-yaml at it.
    let before: String = line.chars().take(place.column).collect();
    if before.trim() == "-" {
        place.column = before.len() - before.trim_start().len();
    }
    let reason = match error.kind() {
        Kind::ExpectedDocumentStart | Kind::InvalidDocumentEnd => OUTSIDE,
        Kind::MisplacedFlowCollectionEnd if line.trim_start().len() == here.len() => OUTSIDE,
        Kind::MisplacedFlowCollectionEnd if line.starts_with(['[', '{']) => OUTSIDE,
        Kind::ExpectedBlockMappingKey
        | Kind::BlockSequenceEntryNotAllowed
        | Kind::UnexpectedEofBlockMapping
        | Kind::MappingKeyNotAllowed
        | Kind::InvalidIndentation => outside_or(place, MAPPING),
        Kind::ExpectedBlockSequenceEntry => outside_or(place, SEQUENCE),
        Kind::UnexpectedCharacter { character } if character.is_control() => {
            if before.matches('"').count() % 2 == 1 {
                place.column += 1;
                "expected valid JSON character"
            } else {
                place.column += here.chars().take_while(|c| !c.is_whitespace()).count();
                "the stream contains non-printable characters"
            }
        }
        Kind::CommentInterceptedScalar => {
            // js-yaml ends the text at the comment, and stops at what follows.
            let next = (place.line + 1..)
                .zip(text.lines().skip(place.line))
                .find(|(_, content)| !content.trim().is_empty());
            if let Some((line, content)) = next {
                let column = content.len() - content.trim_start().len();
                place = Place { line, column };
            }
            match before.trim_start() {
                start if start.starts_with('-') => outside_or(place, SEQUENCE),
                start if start.contains(": ") => outside_or(place, MAPPING),
                _ => OUTSIDE,
            }
        }
        Kind::MappingValueNotAllowed if place.column == 0 || is_after_text(text, place) => OUTSIDE,
        Kind::UnexpectedCharacter { .. } if before.trim_end().ends_with('-') => SEQUENCE,
        Kind::UnexpectedCharacter { .. } if before.trim().is_empty() && place.line == 1 => OUTSIDE,
        Kind::MappingValueNotAllowed
        | Kind::MisplacedFlowCollectionEnd
        | Kind::UnexpectedCharacter { .. }
        | Kind::InvalidTrailingSingleQuotedScalar
        | Kind::InvalidTrailingDoubleQuotedScalar => MAPPING,
        Kind::SimpleKeyExpected | Kind::InvalidSimpleKey => {
            let next = text.lines().nth(place.line).unwrap_or_default();
            place = Place {
                line: place.line + 1,
                column: next.chars().take_while(|c| *c != ':').count(),
            };
            "can not read a block mapping entry; a multiline key may not be an implicit key"
        }
        Kind::UnexpectedEofBlockSequence if here.starts_with(',') => outside_or(place, SEQUENCE),
        Kind::ExpectedNodeContent
        | Kind::UnexpectedEofFlowSequence
        | Kind::UnexpectedEofFlowMapping
        | Kind::UnclosedFlowCollection { .. }
            if here.starts_with(',') =>
        {
            "expected the node content, but found ','"
        }
        Kind::UnexpectedEofFlowSequence
        | Kind::UnexpectedEofFlowMapping
        | Kind::UnexpectedEofImplicitFlowMapping
        | Kind::UnclosedFlowCollection { .. } => {
            place = Place::end_of(text);
            "unexpected end of the stream within a flow collection"
        }
        Kind::ExpectedFlowMappingSeparator
        | Kind::ExpectedFlowSequenceSeparator
        | Kind::BlockEntryInFlowCollection
        | Kind::MismatchedFlowCollectionEnd { .. } => {
            "missed comma between flow collection entries"
        }
        Kind::UnclosedQuotedScalar => {
            place = Place::end_of(text);
            if here.starts_with('\'') {
                "unexpected end of the stream within a single quoted scalar"
            } else {
                "unexpected end of the stream within a double quoted scalar"
            }
        }
        Kind::TabNotAllowed
        | Kind::TabInBlockIndentation
        | Kind::TabInIndentation
        | Kind::TabAtBlockScalarStart
        | Kind::TabInPlainScalar => {
            place = indenting_tab(text, place);
            "tab characters must not be used in indentation"
        }
        Kind::UnknownQuotedScalarEscape => {
            place = bad_escape(text, place);
            "unknown escape sequence"
        }
        Kind::InvalidQuotedScalarHexEscape => {
            place = bad_escape(text, place);
            "expected hexadecimal character"
        }
        Kind::UnknownAnchor => {
            let name: String = here
                .chars()
                .skip(1)
                .take_while(|c| !c.is_whitespace() && !",[]{}".contains(*c))
                .collect();
            place.column += 1 + name.chars().count();
            return (format!("unidentified alias \"{name}\""), place);
        }
        Kind::RecursionLimitExceeded => super::read::TOO_DEEP,
        Kind::UndeclaredTagHandle => "undeclared tag handle",
        Kind::InvalidBlockScalarHeader => {
            // Behind the header and the blanks after it.
            let header = |c: &char| matches!(c, '|' | '>' | '+' | '-') || c.is_ascii_digit();
            let rest: Vec<char> = here.chars().skip_while(|c| header(c)).collect();
            let blanks = rest.iter().take_while(|c| matches!(c, ' ' | '\t')).count();
            place.column += here.chars().count() - rest.len() + blanks;
            "a line break is expected"
        }
        Kind::ZeroBlockScalarIndent => {
            place.column += 1;
            "bad explicit indentation width of a block scalar; it cannot be less than one"
        }
        Kind::DuplicateVersionDirective => "duplication of %YAML directive",
        Kind::UnsupportedYamlMajorVersion => "unacceptable YAML version of the document",
        _ => return (error.info(), place),
    };
    (reason.to_owned(), place)
}

/// The character of a double-quoted text, which begins at `from`, that makes an escape a bad one.
fn bad_escape(text: &str, from: Place) -> Place {
    let mut place = from;
    let mut hex = 0;
    let mut escaped = false;
    for line in text.split('\n').skip(from.line - 1) {
        for c in line.chars().skip(place.column) {
            if hex > 0 {
                if !c.is_ascii_hexdigit() {
                    return place;
                }
                hex -= 1;
            } else if escaped {
                escaped = false;
                match c {
                    'x' => hex = 2,
                    'u' => hex = 4,
                    'U' => hex = 8,
                    c if "0abt\tnvfre \"/\\N_LP".contains(c) => {}
                    _ => return place,
                }
            } else {
                escaped = c == '\\';
            }
            place.column += 1;
        }
        escaped = false;
        place = Place {
            line: place.line + 1,
            column: 0,
        };
    }
    from
}

/// The first tab, from a line on, in front of what the line says.
fn indenting_tab(text: &str, from: Place) -> Place {
    let column = |line: &str| {
        let tab = line.chars().position(|c| c == '\t')?;
        line.chars().take(tab).all(|c| c == ' ').then_some(tab)
    };
    (from.line..)
        .zip(text.lines().skip(from.line - 1))
        .find_map(|(line, content)| {
            Some(Place {
                line,
                column: column(content)?,
            })
        })
        .unwrap_or(from)
}

/// Whether all before the line is text, no list and no mapping.
fn is_after_text(text: &str, place: Place) -> bool {
    let opens = |line: &str| {
        line.contains(": ") || line.trim_end().ends_with(':') || line.trim_start().starts_with("- ")
    };
    place.line > 1 && !text.lines().take(place.line - 1).any(opens)
}

/// At the start of a line the text goes on outside of everything.
fn outside_or(place: Place, otherwise: &'static str) -> &'static str {
    if place.column == 0 {
        OUTSIDE
    } else {
        otherwise
    }
}

/// The line with the mistake, a few around it, and an arrow below.
fn snippet(text: &str, place: Place) -> String {
    let first = place.line.saturating_sub(BEFORE).max(1);
    let mut shown: Vec<(usize, &str)> = (1..)
        .zip(text.lines())
        .skip(first - 1)
        .take(place.line + AFTER + 1 - first)
        .collect();
    if shown.last().is_none_or(|(number, _)| *number < place.line) {
        shown.push((place.line, ""));
    }
    let digits = shown
        .last()
        .map_or(1, |(number, _)| number.to_string().len());
    let width = WIDTH - (digits + 4);
    let mut out = String::new();
    for (number, content) in shown {
        let (part, arrow) = window(content, place.column, width);
        // Writing into a String cannot fail.
        let _ = writeln!(out, " {number:>digits$} | {part}");
        if number == place.line {
            let _ = writeln!(out, "{}^", "-".repeat(digits + 4 + arrow));
        }
    }
    out.truncate(out.trim_end_matches('\n').len());
    out
}

/// The part of a long line around the column, and where the column is in it.
fn window(line: &str, column: usize, width: usize) -> (String, usize) {
    const HEAD: &str = " ... ";
    const TAIL: &str = " ...";
    let half = width / 2 - 1;
    let length = line.chars().count();
    let (mut from, mut to, mut head, mut tail) = (0, length, "", "");
    if column > half {
        head = HEAD;
        from = column - half + HEAD.len();
    }
    if length.saturating_sub(column) > half {
        tail = TAIL;
        to = column + half - TAIL.len();
    }
    let part: String = line
        .chars()
        .skip(from)
        .take(to.saturating_sub(from))
        .map(|c| if c == '\t' { '→' } else { c })
        .collect();
    (
        format!("{head}{part}{tail}"),
        column.saturating_sub(from) + head.len(),
    )
}
