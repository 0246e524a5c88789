//! `Schedule` of a scheduled action: `at(…)`, `rate(…)` and `cron(…)`, in a time zone, and when it next comes true.
//!
//! Source: Application Auto Scaling user guide, "Schedule expressions". Of cron's characters `W` and `#` are refused.

use super::zone::Zone;
use crate::clock::Millis;
use crate::wire::{civil, day_of};

const MINUTE: u64 = 60_000;
const DAY: u64 = 1440 * MINUTE;

/// How many days ahead a cron expression is looked at: a leap day that falls on one weekday comes within 28 years, and
/// 40 where a century has no leap day.
const HORIZON: u64 = 366 * 41;

#[derive(Clone, Debug)]
pub(super) struct Schedule {
    when: When,
    zone: Zone,
}

#[derive(Clone, Debug)]
enum When {
    /// Once, in milliseconds of the zone's own clock.
    At(u64),
    /// Runs again each so many milliseconds.
    Rate(u64),
    Cron(Box<Cron>),
}

#[derive(Clone, Debug)]
struct Cron {
    minutes: Vec<u64>,
    hours: Vec<u64>,
    /// `None` is `?` or `*`.
    days: Option<Vec<u64>>,
    /// `L` among the days of the month.
    last_day: bool,
    months: Vec<u64>,
    /// 1 is Sunday. `None` is `?` or `*`.
    weekdays: Option<Vec<u64>>,
    years: Vec<u64>,
}

impl Schedule {
    /// Reads an expression; `None` when it is none.
    pub(super) fn of(expression: &str, zone: Zone) -> Option<Self> {
        let (kind, inside) = expression.strip_suffix(')')?.split_once('(')?;
        let when = match kind {
            "at" => When::At(moment(inside)?),
            "rate" => {
                let (value, unit) = inside.trim().split_once(' ')?;
                let value: u64 = value.parse().ok().filter(|value| *value > 0)?;
                // The unit is singular for 1 and plural otherwise, as in EventBridge.
                let unit = match (value, unit.trim()) {
                    (1, "minute") | (2.., "minutes") => MINUTE,
                    (1, "hour") | (2.., "hours") => 60 * MINUTE,
                    (1, "day") | (2.., "days") => DAY,
                    _ => return None,
                };
                When::Rate(value.checked_mul(unit)?)
            }
            "cron" => When::Cron(Box::new(Cron::of(inside)?)),
            _ => return None,
        };
        Some(Self { when, zone })
    }

    /// The first moment after `after`; rates count from `since`.
    pub(super) fn next(&self, since: Millis, after: Millis) -> Option<Millis> {
        match &self.when {
            When::At(local) => Some(self.zone.to_utc(*local)).filter(|at| *at > after),
            When::Rate(_) if after < since => Some(since),
            When::Rate(each) => Some(since.plus_millis((after.since(since) / each + 1) * each)),
            When::Cron(cron) => {
                let today = self.zone.to_local(after) / DAY;
                let days = (today..today + HORIZON).filter(|day| cron.has(*day));
                let times = days.flat_map(|day| {
                    let minutes =
                        cron.hours.iter().flat_map(|hour| cron.minutes.iter().map(move |it| hour * 60 + it));
                    minutes.map(move |minute| self.zone.to_utc(day * DAY + minute * MINUTE))
                });
                times.into_iter().find(|at| *at > after)
            }
        }
    }
}

/// `yyyy-mm-ddThh:mm:ss` as milliseconds of its own clock.
fn moment(text: &str) -> Option<u64> {
    let (date, time) = text.trim().split_once('T')?;
    let numbers = |text: &str, separator: char| -> Option<Vec<u64>> {
        text.split(separator).map(|part| part.parse().ok()).collect()
    };
    let ([year, month, day], [hour, minute, second]) =
        (numbers(date, '-')?.try_into().ok()?, numbers(time, ':')?.try_into().ok()?);
    if year < 1970 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let known = day_of(year, month, day);
    let fits = civil(known) == (year, month, day) && hour < 24 && minute < 60 && second < 60;
    fits.then_some(known * DAY + hour * 60 * MINUTE + minute * MINUTE + second * 1000)
}

impl Cron {
    fn of(text: &str) -> Option<Self> {
        const MONTHS: [&str; 12] =
            ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
        const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
        let fields: [&str; 6] = text.split_whitespace().collect::<Vec<_>>().try_into().ok()?;
        let [minutes, hours, days, months, weekdays, years] = fields;
        // One of the two says nothing.
        if (days == "?") == (weekdays == "?") {
            return None;
        }
        let free = |text: &str| matches!(text, "?" | "*");
        let last_day = days == "L";
        Some(Self {
            minutes: field(minutes, 0, 59, &[])?,
            hours: field(hours, 0, 23, &[])?,
            days: if free(days) || last_day { None } else { Some(field(days, 1, 31, &[])?) },
            last_day,
            months: field(months, 1, 12, &MONTHS)?,
            weekdays: if free(weekdays) { None } else { Some(field(weekdays, 1, 7, &DAYS)?) },
            years: field(years, 1970, 2199, &[])?,
        })
    }

    /// Whether the day, counted from 1970-01-01, is one of those named.
    fn has(&self, day: u64) -> bool {
        let (year, month, of_month) = civil(day);
        // 1970-01-01 was a Thursday, which is the fifth.
        let weekday = (day + 4) % 7 + 1;
        self.years.contains(&year)
            && self.months.contains(&month)
            && self.days.as_ref().is_none_or(|days| days.contains(&of_month))
            && self.weekdays.as_ref().is_none_or(|days| days.contains(&weekday))
            && (!self.last_day || civil(day + 1).2 == 1)
    }
}

/// A field's values in ascending order: `*`, `5`, `1-5`, `0/15`, `MON-FRI`, and lists of them.
fn field(text: &str, low: u64, high: u64, names: &[&str]) -> Option<Vec<u64>> {
    let value = |text: &str| -> Option<u64> {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = named.map(|place| place as u64 + low).or_else(|| text.parse().ok())?;
        (low..=high).contains(&value).then_some(value)
    };
    let mut values = Vec::new();
    for part in text.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step: u64 = step.map_or(Some(1), |step| step.parse().ok())?;
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (value(first)?, value(last)?),
            None if range == "*" => (low, high),
            None if part.contains('/') => (value(range)?, high),
            None => (value(range)?, value(range)?),
        };
        if step == 0 || first > last {
            return None;
        }
        values.extend((first..=last).step_by(usize::try_from(step).ok()?));
    }
    values.sort_unstable();
    values.dedup();
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds of a moment in UTC.
    fn at(text: &str) -> Millis {
        Millis(moment(text).unwrap())
    }

    fn next(expression: &str, zone: &str, after: &str) -> Option<Millis> {
        let schedule = Schedule::of(expression, Zone::named(zone).unwrap()).unwrap();
        schedule.next(at("2026-01-01T00:00:00"), at(after))
    }

    #[test]
    fn a_schedule_comes_true_when_the_clock_of_its_zone_says_so() {
        let cases = [
            ("cron(0 8 ? * MON-FRI *)", "Asia/Singapore", "2026-11-27T00:30:00", "2026-11-30T00:00:00"),
            ("cron(0 8 ? * MON-FRI *)", "UTC", "2026-11-27T07:59:00", "2026-11-27T08:00:00"),
            ("cron(0/15 9-17 * * ? *)", "UTC", "2026-11-27T17:45:00", "2026-11-28T09:00:00"),
            ("cron(30 23 L * ? *)", "UTC", "2028-02-01T00:00:00", "2028-02-29T23:30:00"),
            ("cron(0 0 1 JAN,JUL ? *)", "UTC", "2026-01-01T00:00:00", "2026-07-01T00:00:00"),
            ("cron(0 8 ? * SUN *)", "Europe/Berlin", "2026-03-23T00:00:00", "2026-03-29T06:00:00"),
            ("cron(0 8 ? * SAT *)", "Europe/Berlin", "2026-03-23T00:00:00", "2026-03-28T07:00:00"),
            ("cron(0 8 ? * SUN *)", "America/New_York", "2026-11-01T00:00:00", "2026-11-01T13:00:00"),
            ("rate(2 hours)", "UTC", "2026-01-01T03:00:00", "2026-01-01T04:00:00"),
            ("at(2026-12-24T18:00:00)", "Asia/Kolkata", "2026-01-01T00:00:00", "2026-12-24T12:30:00"),
        ];
        for (expression, zone, after, expected) in cases {
            assert_eq!(next(expression, zone, after), Some(at(expected)), "{expression} {zone}");
        }
        assert_eq!(next("at(2026-12-24T18:00:00)", "UTC", "2026-12-24T18:00:00"), None, "once");
        assert_eq!(next("cron(0 0 30 2 ? *)", "UTC", "2026-01-01T00:00:00"), None, "never");
        assert_eq!(next("cron(0 0 * * ? 2025)", "UTC", "2026-01-01T00:00:00"), None, "not any more");
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for text in [
            "0 8 * * *",
            "cron(0 8 * * *)",
            "cron(0 8 * * * *)",
            "cron(0 8 ? * ? *)",
            "cron(60 8 ? * MON *)",
            "cron(0 8 ? * FRI-MON *)",
            "cron(0 8 15W * ? *)",
            "cron(0 8 ? * 2#1 *)",
            "rate(5 minute)",
            "rate(1 hours)",
            "rate(0 minutes)",
            "at(2026-02-30T00:00:00)",
            "at(2026-02-28)",
            "every(1 day)",
        ] {
            assert!(Schedule::of(text, Zone::named("UTC").unwrap()).is_none(), "{text}");
        }
    }
}
