//! Cron expressions as Node-RED's inject node takes them (those of npm's cronosjs): five to seven fields, names, `L`, `W`, `#`.

mod days;
mod field;

use chrono::{
    Datelike, Local, LocalResult, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike,
};

use days::Days;
use field::{Item, Range, values};

/// Years in a row that may be without a time; what comes never, such as February 30, is given up then.
const MOST_EMPTY_YEARS: usize = 60;
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// A cron expression that has been read.
#[derive(Debug)]
pub(super) struct Cron {
    seconds: Vec<u32>,
    minutes: Vec<u32>,
    hours: Vec<u32>,
    days: Days,
    months: Vec<u32>,
    years: Vec<Item>,
}

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// Says which field is wrong and why.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_lowercase();
        let text = match text.as_str() {
            "@yearly" | "@annually" => "0 0 0 1 1 * *",
            "@monthly" => "0 0 0 1 * * *",
            "@weekly" => "0 0 0 * * 0 *",
            "@daily" | "@midnight" => "0 0 0 * * * *",
            "@hourly" => "0 0 * * * * *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let (second, rest, year) = match fields.as_slice() {
            rest @ [_, _, _, _, _] => ("0", rest, "*"),
            [second, rest @ ..] if rest.len() == 5 => (*second, rest, "*"),
            [second, rest @ .., year] if rest.len() == 5 => (*second, rest, *year),
            _ => return Err(format!("5 to 7 fields are needed, not {}", fields.len())),
        };
        let [minute, hour, day, month, weekday] = rest else {
            return Err("5 to 7 fields are needed".into());
        };
        let plain = |text: &str, range| Ok::<_, String>(values(&field::list(text, range)?, range));
        let sixty = |name| Range::cyclic(name, 0, 59);
        Ok(Self {
            seconds: plain(second, sixty("second"))?,
            minutes: plain(minute, sixty("minute"))?,
            hours: plain(hour, Range::cyclic("hour", 0, 23))?,
            days: Days::parse(day, weekday)?,
            months: plain(
                &field::numbered(month, &MONTHS, 1),
                Range::cyclic("month", 1, 12),
            )?,
            years: field::list(year, Range::straight("year", 0, 275_759))?,
        })
    }

    /// The next time in local time after `now`; both in milliseconds since 1970. None if there is none.
    pub(super) fn next(&self, now: f64) -> Option<f64> {
        self.next_in(&Local, now)
    }

    fn next_in<Z: TimeZone>(&self, zone: &Z, now: f64) -> Option<f64> {
        let now = zone.timestamp_millis_opt(now as i64).single()?;
        let local = |hours: i64| (now.clone() + TimeDelta::hours(hours)).naive_local();
        // What comes twice when the clocks go back is done once.
        let is_repeated = local(0) == local(-1);
        let from = match is_repeated {
            true => local(1).with_minute(0)?.with_second(0)?,
            false => local(0) + TimeDelta::seconds(1),
        };
        let next = self.next_naive(from.with_nanosecond(0)?)?;
        let found = match zone.from_local_datetime(&next) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time,
            // What falls into the hour that is left out is done at the end of it.
            LocalResult::None => {
                let hour = next.with_minute(0)?.with_second(0)? + TimeDelta::hours(1);
                zone.from_local_datetime(&hour).earliest()?
            }
        };
        Some(found.timestamp_millis() as f64)
    }

    /// The first time that is not before `from`.
    fn next_naive(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        let mut year = field::next_year(&self.years, u32::try_from(from.year()).ok()?)?;
        for _ in 0..MOST_EMPTY_YEARS {
            let start = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, 1, 1)?;
            if let Some(found) = self.next_in_year(from.max(start.and_hms_opt(0, 0, 0)?)) {
                return Some(found);
            }
            year = field::next_year(&self.years, year + 1)?;
        }
        None
    }

    fn next_in_year(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        let year = from.year();
        for &month in self.months.iter().filter(|month| **month >= from.month()) {
            for day in self.days.of(year, month) {
                let date = NaiveDate::from_ymd_opt(year, month, day)?;
                if date > from.date() {
                    return self.first_of(date);
                }
                if date == from.date()
                    && let Some(found) = self.next_in_day(from)
                {
                    return Some(found);
                }
            }
        }
        None
    }

    fn first_of(&self, date: NaiveDate) -> Option<NaiveDateTime> {
        date.and_hms_opt(
            *self.hours.first()?,
            *self.minutes.first()?,
            *self.seconds.first()?,
        )
    }

    fn next_in_day(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        let later = |list: &[u32], at: u32| list.iter().copied().find(|value| *value > at);
        let (hour, minute, second) = (from.hour(), from.minute(), from.second());
        let first = (*self.minutes.first()?, *self.seconds.first()?);
        let time = if self.hours.contains(&hour) {
            let same_minute = self.minutes.contains(&minute);
            let found = self.seconds.iter().find(|value| **value >= second);
            match (same_minute, found, later(&self.minutes, minute)) {
                (true, Some(second), _) => Some((hour, minute, *second)),
                (_, _, Some(minute)) => Some((hour, minute, first.1)),
                _ => None,
            }
        } else {
            None
        };
        let (hour, minute, second) = match time {
            Some(time) => time,
            None => (later(&self.hours, hour)?, first.0, first.1),
        };
        from.date().and_hms_opt(hour, minute, second)
    }
}

#[cfg(test)]
mod tests;
