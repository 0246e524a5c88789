//! Lengths and alphabets of names, as a value that the naming rules fill in. Not a rule itself.

use std::ops::RangeInclusive;

use super::Findings;
use crate::config::place::Located;

/// What AWS accepts as the name of one kind of thing.
pub(super) struct Naming {
    /// Such as `target group name`.
    pub(super) what: &'static str,
    pub(super) length: RangeInclusive<usize>,
    pub(super) allowed: fn(char) -> bool,
    /// The alphabet in words, with the page it is from.
    pub(super) law: &'static str,
    /// What is wrong with the name beyond its letters, if anything.
    pub(super) form: fn(&str) -> Option<&'static str>,
}

/// Environment variables, wherever they are named.
pub(super) const VARIABLE: Naming = Naming {
    what: "name of an environment variable",
    length: 1..=255,
    allowed: |c| c.is_ascii_alphanumeric() || c == '_',
    law: "letters, digits and `_`, not beginning with a digit (POSIX, Environment Variable Definition)",
    form: |name| name.starts_with(|c: char| c.is_ascii_digit()).then_some("begins with a digit"),
};

/// For names that may take any form.
pub(super) fn any_form(_: &str) -> Option<&'static str> {
    None
}

impl Naming {
    /// Whether a name is one. Only names that somebody wrote are judged: derived ones are, where they come from.
    pub(super) fn check(&self, name: &str, place: impl Located, found: &mut Findings) -> bool {
        let Some(written) = place.place() else { return true };
        let Some(problem) = self.problem(name) else { return true };
        found.error(format!("not a {}", self.what)).at(written, problem).note(self.law);
        false
    }

    pub(super) fn problem(&self, name: &str) -> Option<String> {
        // AWS takes some of these. Names also end up in command lines, as values of flags or on their own, and in paths.
        for (odd, problem) in [
            (name.starts_with('-'), "begins with a hyphen, as an option does"),
            (name.trim() != name, "begins or ends with a space"),
            (name.split('/').any(|part| part == ".."), "`..` leads out of a folder"),
        ] {
            if odd {
                return Some(problem.to_owned());
            }
        }
        let length = name.chars().count();
        if let Some(stranger) = name.chars().find(|&c| !(self.allowed)(c)) {
            return Some(format!("{stranger:?} is not allowed"));
        }
        if length > *self.length.end() {
            return Some(format!("{length} characters, at most {}", self.length.end()));
        }
        if length < *self.length.start() {
            return Some(format!("{length} characters, at least {}", self.length.start()));
        }
        (self.form)(name).map(str::to_owned)
    }
}
