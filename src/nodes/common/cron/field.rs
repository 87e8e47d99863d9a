//! One field of a cron expression: `*`, `5`, `1-5`, `*/10`, `3/2`, and lists of those.

/// What a field may hold.
#[derive(Clone, Copy)]
pub(super) struct Range {
    name: &'static str,
    first: u32,
    last: u32,
    /// Whether `22-2` goes round.
    is_cyclic: bool,
    /// The number that means the same as 0.
    zero: Option<u32>,
}

impl Range {
    pub(super) const fn cyclic(name: &'static str, first: u32, last: u32) -> Self {
        Self {
            name,
            first,
            last,
            is_cyclic: true,
            zero: None,
        }
    }

    pub(super) const fn straight(name: &'static str, first: u32, last: u32) -> Self {
        Self {
            is_cyclic: false,
            ..Self::cyclic(name, first, last)
        }
    }

    /// Sunday is 0 and 7.
    pub(super) const fn weekdays() -> Self {
        Self {
            zero: Some(7),
            ..Self::cyclic("day of the week", 0, 6)
        }
    }
}

/// One entry of a list.
#[derive(Debug)]
pub(super) struct Item {
    /// None: from the first to the last.
    from: Option<u32>,
    to: Option<u32>,
    step: u32,
}

impl Item {
    /// Whether it is `*`.
    pub(super) fn is_any(&self) -> bool {
        self.from.is_none() && self.step == 1
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str, range: Range) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no {}", range.name);
        let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse().map_err(|_| wrong()),
            false => Err(wrong()),
        };
        let value = |text: &str| {
            let value = Some(number(text)?).filter(|value| range.zero != Some(*value));
            let value: u32 = value.unwrap_or_default();
            match (range.first..=range.last).contains(&value) {
                true => Ok(value),
                false => Err(wrong()),
            }
        };
        let (place, step) = match text.split_once('/') {
            Some((place, step)) => (place, Some(number(step)?)),
            None => (text, None),
        };
        if step == Some(0) || text.contains("/0") {
            return Err(wrong());
        }
        let (from, to) = match place.split_once('-') {
            _ if place == "*" => (None, None),
            Some((from, to)) => (Some(value(from)?), Some(value(to)?)),
            None => {
                let from = value(place)?;
                (Some(from), step.is_none().then_some(from))
            }
        };
        if let (Some(from), Some(to)) = (from, to)
            && to < from
            && !range.is_cyclic
        {
            return Err(format!("\"{text}\" ends before it begins"));
        }
        Ok(Self {
            from,
            to,
            step: step.unwrap_or(1),
        })
    }

    fn values(&self, range: Range) -> impl Iterator<Item = u32> {
        let (first, count) = (range.first, range.last - range.first + 1);
        let start = self.from.unwrap_or(first);
        let end = self.to.unwrap_or(range.last);
        let length = if end < start {
            count + end - start
        } else {
            end - start
        };
        (start..=start + length)
            .step_by(self.step as usize)
            .map(move |value| first + (value - first) % count)
    }
}

/// The entries of a field.
///
/// # Errors
/// What is wrong with one of them.
pub(super) fn list(text: &str, range: Range) -> Result<Vec<Item>, String> {
    text.split(',')
        .map(|item| Item::parse(item, range))
        .collect()
}

/// All that the entries name, in order.
pub(super) fn values<'i>(items: impl IntoIterator<Item = &'i Item>, range: Range) -> Vec<u32> {
    let items = items.into_iter();
    let mut values: Vec<u32> = items.flat_map(|item| item.values(range)).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// The text with numbers for names, the first name being `first`.
pub(super) fn numbered(text: &str, names: &[&str], first: usize) -> String {
    let mut text = text.to_owned();
    for (index, name) in names.iter().enumerate() {
        text = text.replace(name, &(index + first).to_string());
    }
    text
}

/// The first year that is not before `from`.
pub(super) fn next_year(items: &[Item], from: u32) -> Option<u32> {
    let next = items.iter().filter_map(|item| {
        if item.is_any() {
            return Some(from);
        }
        let start = item.from.unwrap_or(1970);
        let behind = from.saturating_sub(start);
        let year = start + behind.div_ceil(item.step).checked_mul(item.step)?;
        (year <= item.to.unwrap_or(u32::MAX)).then_some(year)
    });
    next.min()
}
