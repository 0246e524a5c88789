//! Bands and the rule that makes four of them one. Whole numbers only: a mean of bands is a count of eighths.

use serde_json::Value;

/// A skill of the test, in the order of the test report form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skill {
    Listening,
    Reading,
    Writing,
    Speaking,
}

impl Skill {
    pub(crate) const ALL: [Self; 4] = [
        Self::Listening,
        Self::Reading,
        Self::Writing,
        Self::Speaking,
    ];

    /// The member's name in JSON.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Listening => "listening",
            Self::Reading => "reading",
            Self::Writing => "writing",
            Self::Speaking => "speaking",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Listening => "Listening",
            Self::Reading => "Reading",
            Self::Writing => "Writing",
            Self::Speaking => "Speaking",
        }
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Listening => "Four recordings, 40 questions, about 30 minutes.",
            Self::Reading => "Three long texts, 40 questions, 60 minutes.",
            Self::Writing => "Two tasks, 60 minutes.",
            Self::Speaking => "A conversation with an examiner in three parts, 11 to 14 minutes.",
        }
    }
}

/// A band from 0 to 9 in steps of a half, held as its number of halves (0 to 18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Band(u8);

impl Band {
    pub(crate) const HIGHEST: u8 = 18;

    #[cfg(test)]
    pub(crate) fn from_halves(halves: u8) -> Self {
        assert!(halves <= Self::HIGHEST);
        Self(halves)
    }

    /// # Errors
    /// What a band must be, to be read after the field's name.
    pub(crate) fn from_json(value: &Value) -> Result<Self, &'static str> {
        let number = value.as_f64().ok_or("must be a number")?;
        if !(0.0..=9.0).contains(&number) {
            return Err("must be from 0 to 9");
        }
        // Every half from 0 to 9 is exact in binary, so that equality is what is meant.
        (0..=Self::HIGHEST)
            .find(|halves| f64::from(*halves) / 2.0 == number)
            .map(Self)
            .ok_or("must be a whole or a half band, such as 6 or 6.5")
    }

    pub(crate) fn value(self) -> f64 {
        f64::from(self.0) / 2.0
    }

    /// What the test's owners call a candidate of this band (IELTS, "Understanding your score");
    /// a half band has the name of the whole one below.
    pub(crate) fn level(self) -> &'static str {
        match self.0 / 2 {
            0 => "Did not attempt the test",
            1 => "Non-user",
            2 => "Intermittent user",
            3 => "Extremely limited user",
            4 => "Limited user",
            5 => "Modest user",
            6 => "Competent user",
            7 => "Good user",
            8 => "Very good user",
            _ => "Expert user",
        }
    }
}

/// The result of four bands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overall {
    pub(crate) band: Band,
    mean_eighths: u8,
}

impl Overall {
    /// The mean, rounded to the nearest half; one that lies between two goes up (IELTS, "How the overall band score is
    /// calculated": an average that ends in .25 goes up to the next half band, in .75 to the next whole band).
    pub(crate) fn of(bands: [Band; 4]) -> Self {
        // The sum of the halves is four times the mean's halves, which is eight times the mean.
        let mean_eighths: u8 = bands.iter().map(|band| band.0).sum();
        Self {
            band: Band((mean_eighths + 2) / 4),
            mean_eighths,
        }
    }

    pub(crate) fn mean(self) -> f64 {
        f64::from(self.mean_eighths) / 8.0
    }

    /// Which way the mean was rounded: `up`, `down` or `none`.
    pub(crate) fn rounding(self) -> &'static str {
        match (self.band.0 * 4).cmp(&self.mean_eighths) {
            std::cmp::Ordering::Greater => "up",
            std::cmp::Ordering::Less => "down",
            std::cmp::Ordering::Equal => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn overall(bands: [f64; 4]) -> (f64, f64, &'static str) {
        let overall = Overall::of(bands.map(|band| Band::from_json(&json!(band)).unwrap()));
        (overall.band.value(), overall.mean(), overall.rounding())
    }

    #[test]
    fn published_examples_and_both_ties() {
        for (bands, expected) in [
            // From the page of the test's owners on how bands are calculated.
            ([6.5, 6.5, 5.0, 7.0], (6.5, 6.25, "up")),
            ([4.0, 3.5, 4.0, 4.0], (4.0, 3.875, "up")),
            ([6.5, 6.5, 5.5, 6.0], (6.0, 6.125, "down")),
            // Each of the eight fractions of a mean.
            ([6.0, 6.0, 6.0, 6.0], (6.0, 6.0, "none")),
            ([6.5, 6.0, 6.0, 6.0], (6.0, 6.125, "down")),
            ([7.0, 6.0, 6.0, 6.0], (6.5, 6.25, "up")),
            ([7.5, 6.0, 6.0, 6.0], (6.5, 6.375, "up")),
            ([8.0, 6.0, 6.0, 6.0], (6.5, 6.5, "none")),
            ([8.5, 6.0, 6.0, 6.0], (6.5, 6.625, "down")),
            ([9.0, 6.0, 6.0, 6.0], (7.0, 6.75, "up")),
            ([9.0, 6.5, 6.0, 6.0], (7.0, 6.875, "up")),
            ([0.0, 0.0, 0.0, 0.0], (0.0, 0.0, "none")),
            ([9.0, 9.0, 9.0, 9.0], (9.0, 9.0, "none")),
            ([9.0, 9.0, 9.0, 8.5], (9.0, 8.875, "up")),
        ] {
            assert_eq!(overall(bands), expected, "{bands:?}");
        }
    }

    /// The rule as the public page words it, on hundredths: nothing in common with the arithmetic above.
    fn as_published(hundredths: u32) -> u32 {
        let (whole, rest) = (hundredths / 100 * 100, hundredths % 100);
        match rest {
            0..25 => whole,
            25..75 => whole + 50,
            _ => whole + 100,
        }
    }

    #[test]
    fn every_combination_follows_the_published_rule() {
        let bands = || 0..=Band::HIGHEST;
        let mut seen = 0_u32;
        for listening in bands() {
            for reading in bands() {
                for writing in bands() {
                    for speaking in bands() {
                        let halves = [listening, reading, writing, speaking];
                        let sum: u32 = halves.iter().map(|halves| u32::from(*halves) * 50).sum();
                        let got = Overall::of(halves.map(Band::from_halves));
                        // The mean in hundredths, cut off: 12.5 hundredths are on the same side of each border as 12.
                        assert_eq!(
                            u32::from(got.band.0) * 50,
                            as_published(sum / 4),
                            "{halves:?}"
                        );
                        assert!(
                            (got.mean() - f64::from(sum) / 400.0).abs() < f64::EPSILON,
                            "{halves:?}"
                        );
                        seen += 1;
                    }
                }
            }
        }
        assert_eq!(seen, 19_u32.pow(4));
    }

    #[test]
    fn only_halves_from_0_to_9_are_bands() {
        for (value, expected) in [
            (json!(0), Ok(0.0)),
            (json!(-0.0), Ok(0.0)),
            (json!(9), Ok(9.0)),
            (json!(6.50), Ok(6.5)),
            (json!(65e-1), Ok(6.5)),
            (json!(9.5), Err("must be from 0 to 9")),
            (json!(-0.5), Err("must be from 0 to 9")),
            (json!(u64::MAX), Err("must be from 0 to 9")),
            (
                json!(6.25),
                Err("must be a whole or a half band, such as 6 or 6.5"),
            ),
            (
                json!(6.500_000_1),
                Err("must be a whole or a half band, such as 6 or 6.5"),
            ),
            (json!("6.5"), Err("must be a number")),
            (json!(null), Err("must be a number")),
            (json!(true), Err("must be a number")),
            (json!([6]), Err("must be a number")),
        ] {
            assert_eq!(
                Band::from_json(&value).map(Band::value),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn a_half_band_has_the_name_of_the_whole_one_below() {
        for (halves, level) in [
            (0, "Did not attempt the test"),
            (12, "Competent user"),
            (13, "Competent user"),
            (14, "Good user"),
            (18, "Expert user"),
        ] {
            assert_eq!(Band::from_halves(halves).level(), level);
        }
    }
}
