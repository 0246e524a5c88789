//! What a tag's value may hold.
//!
//! AWS's class is `[\p{L}\p{Z}\p{N}_.:/=+\-@]`. `char::is_alphanumeric` is wider: it holds combining marks and circled
//! letters, for which RegisterTaskDefinition refuses the whole release.

use std::ops::RangeInclusive;

/// Scripts whose letters are no marks; a table of all of Unicode is not worth its size here.
const LETTERS: [RangeInclusive<char>; 8] = [
    // Latin, IPA.
    '\u{c0}'..='\u{2af}',
    // Greek.
    '\u{370}'..='\u{3ff}',
    // Cyrillic, on both sides of its marks.
    '\u{400}'..='\u{481}',
    '\u{48a}'..='\u{52f}',
    // Hiragana and Katakana without their sound marks.
    '\u{3041}'..='\u{3096}',
    '\u{30a1}'..='\u{30fa}',
    // Chinese characters.
    '\u{4e00}'..='\u{9fff}',
    // Korean.
    '\u{ac00}'..='\u{d7a3}',
];

/// Whether AWS takes the character in a tag. A rare letter may be missed, a character that AWS refuses is never taken.
pub fn fits_tag(c: char) -> bool {
    let letter = || c.is_alphabetic() && LETTERS.iter().any(|range| range.contains(&c));
    c.is_ascii_alphanumeric() || " +-=._:/@".contains(c) || letter()
}

/// Whether AWS keeps a tag's key or value for itself: `aws:`, in any case (ECS API, Tag).
pub fn reserved_tag(text: &str) -> bool {
    text.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}

/// The text as a tag can hold it, of at most `most` characters.
pub fn tag_text(text: &str, most: usize) -> String {
    let text = if reserved_tag(text) { text.replacen(':', "_", 1) } else { text.to_owned() };
    text.chars().map(|c| if fits_tag(c) { c } else { '_' }).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stay_and_what_aws_refuses_is_replaced() {
        let cases = [
            ("Jürgen Müller", "Jürgen Müller"),
            ("山田 太郎, ops", "山田 太郎_ ops"),
            ("AWS:ops", "AWS_ops"),
            ("aws", "aws"),
            // The same name with combining marks, as macOS writes it.
            ("Ju\u{308}rgen", "Ju_rgen"),
            // Vowel signs are Alphabetic, and marks.
            ("क\u{93e}म", "___"),
            ("\u{24d0}×÷\u{345}\t", "_____"),
        ];
        for (text, expected) in cases {
            assert_eq!(tag_text(text, 256), expected);
        }
    }
}
