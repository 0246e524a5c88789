//! Moments as dates and clock times, in UTC: it is what AWS shows and what log lines of several machines have in common.

/// `2026-11-29`, of milliseconds since the Unix epoch.
pub fn date(at_ms: u64) -> String {
    // Howard Hinnant's `civil_from_days`: eras of 400 years, which have 146,097 days; years begin in March, so that the leap
    // day is the last of its year.
    let days = at_ms / 86_400_000 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `08:00:12.345`.
pub fn clock(at_ms: u64) -> String {
    let secs = at_ms / 1000 % 86_400;
    format!("{:02}:{:02}:{:02}.{:03}", secs / 3600, secs / 60 % 60, secs % 60, at_ms % 1000)
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
        ];
        for (at_ms, text) in cases {
            assert_eq!(format!("{} {}", date(at_ms), clock(at_ms)), text);
        }
    }
}
