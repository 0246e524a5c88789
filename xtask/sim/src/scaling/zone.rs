//! Time zones of scheduled actions: those without daylight saving time that people use, and Europe's and North America's
//! with the rules in force since 2007. Others are refused; a database of all of them is not worth its size here.

use crate::clock::Millis;
use crate::wire::{civil, day_of};

const MINUTE: u64 = 60_000;
const DAY: u64 = 1440 * MINUTE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    /// Minutes east of UTC, outside daylight saving time.
    offset: i64,
    summer: Summer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Summer {
    Never,
    /// From the last Sunday of March to that of October, 01:00 UTC.
    Europe,
    /// From the second Sunday of March to the first of November, 02:00 on the local clock.
    America,
}

#[rustfmt::skip]
const FIXED: [(&str, i64); 24] = [
    ("UTC", 0), ("Etc/UTC", 0), ("Etc/GMT", 0), ("GMT", 0), ("Africa/Lagos", 60),
    ("Africa/Johannesburg", 120), ("Africa/Nairobi", 180), ("America/Sao_Paulo", -180),
    ("Asia/Bangkok", 420), ("Asia/Dubai", 240), ("Asia/Ho_Chi_Minh", 420), ("Asia/Hong_Kong", 480),
    ("Asia/Jakarta", 420), ("Asia/Kolkata", 330), ("Asia/Kuala_Lumpur", 480), ("Asia/Manila", 480),
    ("Asia/Riyadh", 180), ("Asia/Seoul", 540), ("Asia/Shanghai", 480), ("Asia/Singapore", 480),
    ("Asia/Taipei", 480), ("Asia/Tokyo", 540), ("Australia/Brisbane", 600), ("Europe/Istanbul", 180),
];

#[rustfmt::skip]
const EUROPE: [(&str, i64); 12] = [
    ("Europe/Amsterdam", 60), ("Europe/Athens", 120), ("Europe/Berlin", 60), ("Europe/Dublin", 0),
    ("Europe/Helsinki", 120), ("Europe/London", 0), ("Europe/Madrid", 60), ("Europe/Paris", 60),
    ("Europe/Rome", 60), ("Europe/Stockholm", 60), ("Europe/Vienna", 60), ("Europe/Zurich", 60),
];

#[rustfmt::skip]
const AMERICA: [(&str, i64); 5] = [
    ("America/Chicago", -360), ("America/Denver", -420), ("America/Los_Angeles", -480),
    ("America/New_York", -300), ("America/Toronto", -300),
];

impl Zone {
    /// The zone with this name, if it is known.
    pub(super) fn named(name: &str) -> Option<Self> {
        let of = |table: &[(&str, i64)], summer| {
            let found = table.iter().find(|(known, _)| *known == name)?;
            Some(Self { offset: found.1, summer })
        };
        of(&FIXED, Summer::Never)
            .or_else(|| of(&EUROPE, Summer::Europe))
            .or_else(|| of(&AMERICA, Summer::America))
    }

    /// Milliseconds since 1970-01-01 on the zone's own clock.
    pub(super) fn to_local(self, at: Millis) -> u64 {
        shifted(at.0, self.offset_at(at.0))
    }

    /// When the zone's own clock shows this. An hour that the clock leaves out is taken as one of the winter.
    pub(super) fn to_utc(self, local: u64) -> Millis {
        let summer = shifted(local, -(self.offset + 60));
        if self.offset_at(summer) > self.offset {
            Millis(summer)
        } else {
            Millis(shifted(local, -self.offset))
        }
    }

    /// Minutes east of UTC at a moment in UTC.
    fn offset_at(self, utc: u64) -> i64 {
        let (year, ..) = civil(utc / DAY);
        let (from, to) = match self.summer {
            Summer::Never => return self.offset,
            Summer::Europe => {
                let last = |month| sunday_until(day_of(year, month, 31)) * DAY + 60 * MINUTE;
                (last(3), last(10))
            }
            Summer::America => {
                let two = |day: u64, offset: i64| shifted(day * DAY + 120 * MINUTE, -offset);
                let (march, november) =
                    (sunday_until(day_of(year, 3, 14)), sunday_until(day_of(year, 11, 7)));
                (two(march, self.offset), two(november, self.offset + 60))
            }
        };
        self.offset + if (from..to).contains(&utc) { 60 } else { 0 }
    }
}

fn shifted(millis: u64, minutes: i64) -> u64 {
    millis.saturating_add_signed(minutes * MINUTE as i64)
}

/// The last Sunday that is not after the day.
fn sunday_until(day: u64) -> u64 {
    day - (day + 4) % 7
}
