//! CSS selectors, with the ones of jQuery that cheerio knows besides: `:first`, `:eq(2)`, `:contains("text")`.

use scraper::Selector;

use super::{
    aliases,
    page::{Page, Part},
};

/// jQuery's own.
enum Filter {
    First,
    Last,
    /// Counted from the end when negative.
    At(isize),
    After(isize),
    Before(isize),
    Even,
    Odd,
    Contains(String),
}

/// A selector is CSS with filters between.
enum Step {
    Css(String),
    Filter(Filter),
}

/// The elements that a selector finds, in the page's order.
///
/// # Errors
/// What is wrong with the selector.
pub(super) fn select<'a>(page: &'a Page, selector: &str) -> Result<Vec<Part<'a>>, String> {
    let mut groups = Vec::new();
    for group in split(selector) {
        groups.push(steps(&group)?);
    }
    let mut found = Vec::new();
    for steps in &groups {
        found.push(follow(page, steps)?);
    }
    if found.len() == 1 {
        return Ok(found.remove(0));
    }
    Ok(page
        .elements()
        .filter(|part| found.iter().flatten().any(|other| other.id() == part.id()))
        .collect())
}

/// Calls `found` for each character outside of quotes, brackets and parentheses.
fn scan(text: &str, mut found: impl FnMut(usize, char)) {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match (c, quote) {
            ('\\', _) => escaped = true,
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('[' | '(', None) => {
                if depth == 0 {
                    found(at, c);
                }
                depth += 1;
            }
            (']' | ')', None) => depth = depth.saturating_sub(1),
            (c, None) if depth == 0 => found(at, c),
            _ => {}
        }
    }
}

fn split(selector: &str) -> Vec<String> {
    let mut commas = Vec::new();
    scan(selector, |at, c| {
        if c == ',' {
            commas.push(at);
        }
    });
    let (mut groups, mut from) = (Vec::new(), 0);
    for comma in commas {
        groups.push(selector[from..comma].trim().to_owned());
        from = comma + 1;
    }
    groups.push(selector[from..].trim().to_owned());
    groups
}

fn steps(group: &str) -> Result<Vec<Step>, String> {
    let mut colons = Vec::new();
    scan(group, |at, c| {
        if c == ':' {
            colons.push(at);
        }
    });
    let (mut steps, mut from) = (Vec::new(), 0);
    for colon in colons {
        if colon < from {
            continue;
        }
        if let Some((filter, end)) = filter(group, colon)? {
            steps.push(Step::Css(group[from..colon].to_owned()));
            steps.push(Step::Filter(filter));
            from = end;
        }
    }
    steps.push(Step::Css(group[from..].to_owned()));
    Ok(steps)
}

/// The filter that begins at a colon, and where it ends.
fn filter(group: &str, colon: usize) -> Result<Option<(Filter, usize)>, String> {
    let rest = &group[colon + 1..];
    let length = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .unwrap_or(rest.len());
    let (name, after) = rest.split_at(length);
    let mut end = colon + 1 + length;
    let argument = match after.strip_prefix('(') {
        Some(inside) => {
            let close = closing(inside).ok_or("a parenthesis is not closed")?;
            end += close + 2;
            inside[..close].trim()
        }
        None => "",
    };
    let number = || {
        argument
            .parse()
            .map_err(|_| format!(":{name} needs a number"))
    };
    let filter = match name {
        "first" => Filter::First,
        "last" => Filter::Last,
        "even" => Filter::Even,
        "odd" => Filter::Odd,
        "eq" | "nth" => Filter::At(number()?),
        "gt" => Filter::After(number()?),
        "lt" => Filter::Before(number()?),
        "contains" => Filter::Contains(argument.trim_matches(['"', '\'']).to_owned()),
        _ => return Ok(None),
    };
    Ok(Some((filter, end)))
}

/// Where the parenthesis that stands before closes.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('(', None) => depth += 1,
            (')', None) if depth == 0 => return Some(at),
            (')', None) => depth -= 1,
            _ => {}
        }
    }
    None
}

fn follow<'a>(page: &'a Page, steps: &[Step]) -> Result<Vec<Part<'a>>, String> {
    let mut current: Option<Vec<Part>> = None;
    for step in steps {
        current = Some(match step {
            Step::Css(css) if css.trim().is_empty() => match current {
                Some(parts) => parts,
                None if steps.len() > 1 => page.elements().collect(),
                None => return Err("it is empty".into()),
            },
            // Nothing stands above the page.
            Step::Css(css)
                if current.is_none() && css.trim_start().starts_with(['>', '+', '~']) =>
            {
                Vec::new()
            }
            Step::Css(css) => match current {
                None => {
                    let selector = parse(css)?;
                    page.elements()
                        .filter(|part| selector.matches(part))
                        .collect()
                }
                Some(parts) => below(page, &parts, css)?,
            },
            Step::Filter(filter) => filter.apply(page, current.unwrap_or_default()),
        });
    }
    Ok(current.unwrap_or_default())
}

/// What CSS behind a filter finds: more conditions for the same elements, then elements relative to them.
fn below<'a>(page: &'a Page, parts: &[Part<'a>], css: &str) -> Result<Vec<Part<'a>>, String> {
    let mut end = css.len();
    scan(css, |at, c| {
        if end == css.len() && (c.is_whitespace() || matches!(c, '>' | '+' | '~')) {
            end = at;
        }
    });
    let (same, relative) = css.split_at(end);
    let mut parts = parts.to_vec();
    if !same.is_empty() {
        let selector = parse(same)?;
        parts.retain(|part| selector.matches(part));
    }
    if relative.trim().is_empty() {
        return Ok(parts);
    }
    let selector = parse(&format!(":scope {}", relative.trim()))?;
    let fits = |part: &Part| {
        parts
            .iter()
            .any(|scope| selector.matches_with_scope(part, Some(*scope)))
    };
    Ok(page.elements().filter(fits).collect())
}

fn parse(css: &str) -> Result<Selector, String> {
    let css = css.trim();
    let mut whole = aliases::resolve(css);
    if whole.ends_with(['>', '+', '~']) {
        whole.push_str(" *");
    }
    Selector::parse(&whole).map_err(|error| error.to_string())
}

impl Filter {
    fn apply<'a>(&self, page: &Page, parts: Vec<Part<'a>>) -> Vec<Part<'a>> {
        let count = isize::try_from(parts.len()).unwrap_or(isize::MAX);
        let from_end = |index: isize| if index < 0 { count + index } else { index };
        let keeps = |index: isize, part: &Part| match self {
            Self::First => index == 0,
            Self::Last => index == count - 1,
            Self::At(at) => index == from_end(*at),
            Self::After(at) => index > from_end(*at),
            Self::Before(at) => index < from_end(*at),
            Self::Even => index % 2 == 0,
            Self::Odd => index % 2 == 1,
            Self::Contains(text) => page.text(*part).contains(text.as_str()),
        };
        (0..)
            .zip(parts)
            .filter(|(index, part)| keeps(*index, part))
            .map(|(_, part)| part)
            .collect()
    }
}
