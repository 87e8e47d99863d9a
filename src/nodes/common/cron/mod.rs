//! Cron expressions as Node-RED's inject node takes them (those of npm's cronosjs): five to seven fields, names, `L`, `W`, `#`.
//!
//! croner works out the times. Some forms that cronosjs takes it does not know, such as `22-2`: they are put into others first.

use chrono::{Local, TimeZone};
use croner::parser::{CronParser, Seconds, Year};

/// A cron expression that has been read.
#[derive(Debug)]
pub(super) struct Cron(croner::Cron);

/// What a field counts.
#[derive(Clone, Copy, PartialEq)]
enum Field {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Weekday,
    Year,
}

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_lowercase();
        let fields: Vec<&str> = text.split_whitespace().collect();
        let all = {
            use Field::*;
            [Second, Minute, Hour, Day, Month, Weekday, Year]
        };
        let kinds = if fields.len() == 5 {
            &all[1..]
        } else {
            &all[..]
        };
        // `@daily` and the like are one word, and a wrong number of fields is croner's to tell.
        let text = match fields.len() {
            5..=7 => {
                let known = fields
                    .iter()
                    .zip(kinds)
                    .map(|(text, field)| field.known(text));
                known.collect::<Result<Vec<_>, _>>()?.join(" ")
            }
            _ => text,
        };
        let parser = CronParser::builder()
            .seconds(Seconds::Optional)
            .year(Year::Optional)
            .build();
        let cron = parser.parse(&text).map_err(|error| error.to_string())?;
        Ok(Self(cron))
    }

    /// The next time in local time after `now`; both in milliseconds since 1970. None if there is none.
    pub(super) fn next(&self, now: f64) -> Option<f64> {
        self.next_in(&Local, now)
    }

    fn next_in<Z: TimeZone>(&self, zone: &Z, now: f64) -> Option<f64> {
        let now = zone.timestamp_millis_opt(now as i64).single()?;
        let next = self.0.find_next_occurrence(&now, false).ok()?;
        Some(next.timestamp_millis() as f64)
    }
}

impl Field {
    /// Its first and last number. Of the years those that may come and that croner knows.
    fn range(self) -> (u32, u32) {
        match self {
            Self::Second | Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Month => (1, 12),
            Self::Weekday => (0, 6),
            Self::Year => (1970, 5000),
        }
    }

    /// Names for its numbers, from the first on.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &[
                "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
            ],
            Self::Weekday => &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
            _ => &[],
        }
    }

    /// The field in forms that croner knows.
    fn known(self, text: &str) -> Result<String, String> {
        let mut text = text.to_owned();
        for (number, name) in (self.range().0..).zip(self.names()) {
            text = text.replace(name, &number.to_string());
        }
        let items = text.split(',').map(|item| self.known_item(item));
        Ok(items.collect::<Result<Vec<_>, _>>()?.join(","))
    }

    fn known_item(self, item: &str) -> Result<String, String> {
        match (self, item) {
            (_, "") => return Err("there is a comma with nothing beside it".into()),
            (Self::Weekday, "l") => return Err("\"L\" has no day of the week before it".into()),
            // The last day, even in short months.
            (Self::Day, "31w") => return Ok("lw".into()),
            _ => {}
        }
        let (first, last) = self.range();
        let (place, step) = match item.split_once('/') {
            Some((place, step)) => (place, Some(step)),
            None => (item, None),
        };
        let width = match step.map(number) {
            None => 1,
            Some(Some(width)) if !item.contains("/0") => width,
            Some(_) => return Err(format!("\"{item}\" has a step that is no number")),
        };
        let (from, to) = match place.split_once('-') {
            Some((from, to)) => (number(from), number(to)),
            None => (number(place), None),
        };
        Ok(match (from, to) {
            // Years are counted from 0.
            _ if self == Self::Year && place == "*" && step.is_some() => {
                let multiple = first.div_ceil(width).saturating_mul(width);
                if multiple > last {
                    return Err(format!("\"{item}\" names no year that comes"));
                }
                format!("{multiple}-{last}/{width}")
            }
            // From there to the end: 3/2.
            (Some(from), None) if step.is_some() => format!("{from}-{last}/{width}"),
            // Round the end: 22-2.
            (Some(from), Some(to))
                if (first..from).contains(&to) && from <= last && self.goes_round() =>
            {
                let count = last - first + 1;
                let values = (from..=to + count).step_by(width as usize);
                let values = values.map(|value| first + (value - first) % count);
                let texts: Vec<String> = values.map(|value| value.to_string()).collect();
                texts.join(",")
            }
            _ => item.to_owned(),
        })
    }

    /// Days of the month and years have an end.
    fn goes_round(self) -> bool {
        !matches!(self, Self::Day | Self::Year)
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests;
