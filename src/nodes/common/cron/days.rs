//! The days of a cron expression: those of the month and those of the week, together.

use chrono::{Datelike, NaiveDate};

use super::field::{Item, Range, numbered, values};

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const OF_MONTH: Range = Range::straight("day of the month", 1, 31);

/// Which days of a month.
#[derive(Debug, Default)]
pub(super) struct Days {
    /// `L`
    last: bool,
    /// `LW`
    last_workday: bool,
    days: Vec<u32>,
    /// `15W`: the Monday to Friday that is nearest.
    near: Vec<u32>,
    weekdays: Vec<u32>,
    /// `5L`
    last_weekdays: Vec<u32>,
    /// `1#2`: the second Monday.
    nth_weekdays: Vec<(u32, u32)>,
}

impl Days {
    /// Reads both fields.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub(super) fn parse(of_month: &str, of_week: &str) -> Result<Self, String> {
        let mut days = Self::default();
        let (mut plain, mut near) = (Vec::new(), Vec::new());
        for item in of_month.split(',') {
            match item {
                "l" => days.last = true,
                "lw" => days.last_workday = true,
                item => match item.strip_suffix('w') {
                    Some(item) => near.push(Item::parse(item, OF_MONTH)?),
                    None => plain.push(Item::parse(any(item), OF_MONTH)?),
                },
            }
        }
        let (mut weekdays, mut last_weekdays) = (Vec::new(), Vec::new());
        let range = Range::weekdays();
        for item in numbered(of_week, &WEEKDAYS, 0).split(',') {
            if let Some(item) = item.strip_suffix('l') {
                last_weekdays.push(Item::parse(item, range)?);
            } else if let Some((item, nth)) = item.rsplit_once('#') {
                let nth = match nth {
                    "1" | "2" | "3" | "4" | "5" => nth.parse().map_err(|_| nth)?,
                    _ => return Err(format!("\"#{nth}\" is not between #1 and #5")),
                };
                let item = Item::parse(item, range)?;
                let all = values([&item], range).into_iter();
                days.nth_weekdays.extend(all.map(|day| (day, nth)));
            } else {
                weekdays.push(Item::parse(any(item), range)?);
            }
        }
        days.near = values(&near, OF_MONTH);
        days.last_weekdays = values(&last_weekdays, range);
        // `*` in one of the fields leaves it to the other one.
        let named =
            |items: &[Item], range| values(items.iter().filter(|item| !item.is_any()), range);
        days.days = named(&plain, OF_MONTH);
        days.weekdays = named(&weekdays, range);
        let nothing_else = !days.last
            && !days.last_workday
            && [&days.near, &days.last_weekdays]
                .iter()
                .all(|list| list.is_empty())
            && days.nth_weekdays.is_empty();
        if nothing_else
            && let ([day], [weekday]) = (plain.as_slice(), weekdays.as_slice())
            && day.is_any()
            && weekday.is_any()
        {
            days.days = (1..=31).collect();
        }
        Ok(days)
    }

    /// The days of a month, in order.
    pub(super) fn of(&self, year: i32, month: u32) -> Vec<u32> {
        let Some(first) = NaiveDate::from_ymd_opt(year, month, 1) else {
            return Vec::new();
        };
        let length = u32::from(first.num_days_in_month());
        let before = first.weekday().num_days_from_sunday();
        let weekday = |day: u32| (day + before - 1) % 7;
        let workday = |day: u32| {
            let day = day.min(length);
            match weekday(day) {
                // Never in another month.
                0 if day == length => day - 2,
                0 => day + 1,
                6 if day == 1 => day + 2,
                6 => day - 1,
                _ => day,
            }
        };
        let is_one = |day: u32| {
            let nth = (day - 1) / 7 + 1;
            let of_week = weekday(day);
            self.days.contains(&day)
                || self.last && day == length
                || self.last_workday && day == workday(length)
                || self.near.iter().any(|near| day == workday(*near))
                || self.weekdays.contains(&of_week)
                || self.last_weekdays.contains(&of_week) && day + 7 > length
                || self.nth_weekdays.contains(&(of_week, nth))
        };
        (1..=length).filter(|day| is_one(*day)).collect()
    }
}

/// `?` is `*`.
fn any(item: &str) -> &str {
    if item == "?" { "*" } else { item }
}
