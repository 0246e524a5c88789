//! Moments as dates and clock times, in UTC: it is what AWS shows and what log lines of several machines have in common.

use std::time::{Duration, UNIX_EPOCH};

/// The last moment of the year 9999: the RFC has no later one, and `humantime` refuses to write it.
const LAST_MS: u64 = 253_402_300_799_999;

/// `2026-11-29`, of milliseconds since the Unix epoch.
pub fn date(at_ms: u64) -> String {
    utc(at_ms)[..10].to_owned()
}

/// The time of day in UTC, as `08:00:12.345`.
pub fn clock(at_ms: u64) -> String {
    utc(at_ms)[11..23].to_owned()
}

fn utc(at_ms: u64) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(at_ms.min(LAST_MS))).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right_around_leap_days_and_ends_of_years() {
        let cases = [
            (0, "1970-01-01 00:00:00.000"),
            (951_782_399_999, "2000-02-28 23:59:59.999"),
            (951_782_400_000, "2000-02-29 00:00:00.000"),
            (951_868_800_000, "2000-03-01 00:00:00.000"),
            (1_798_761_599_000, "2026-12-31 23:59:59.000"),
            (1_798_761_600_000, "2027-01-01 00:00:00.000"),
            (u64::MAX, "9999-12-31 23:59:59.999"),
        ];
        for (at_ms, text) in cases {
            assert_eq!(format!("{} {}", date(at_ms), clock(at_ms)), text);
        }
    }
}
