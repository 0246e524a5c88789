//! Lengths of time as people say them.

/// `0.4 s`, `42 s`, `6 min 20 s`, `1 h 02 min`.
pub fn duration(millis: u64) -> String {
    let secs = millis / 1000;
    match secs {
        0..10 => format!("{}.{} s", secs, millis % 1000 / 100),
        10..60 => format!("{secs} s"),
        60..3600 => format!("{} min {:02} s", secs / 60, secs % 60),
        _ => format!("{} h {:02} min", secs / 3600, secs % 3600 / 60),
    }
}

/// How long ago something was, roughly: `42 s`, `6 min`, `5 h`, `12 d`.
pub fn age(millis: u64) -> String {
    let secs = millis / 1000;
    match secs {
        0..60 => format!("{secs} s"),
        60..3600 => format!("{} min", secs / 60),
        3600..86_400 => format!("{} h", secs / 3600),
        _ => format!("{} d", secs / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_not_sixty_seconds() {
        let cases = [
            (0, "0.0 s"),
            (450, "0.4 s"),
            (42_999, "42 s"),
            (60_000, "1 min 00 s"),
            (3_720_000, "1 h 02 min"),
        ];
        for (millis, text) in cases {
            assert_eq!(duration(millis), text);
        }
    }

    #[test]
    fn an_age_is_rough() {
        let ages = [(59_999, "59 s"), (60_000, "1 min"), (7_199_000, "1 h"), (172_800_000, "2 d")];
        for (millis, text) in ages {
            assert_eq!(age(millis), text);
        }
    }
}
