//! `.dockerignore`: which files of a folder an engine does not see.
//!
//! Source: Docker documentation, "Build context", `.dockerignore files`; where that is silent, what
//! moby/patternmatcher does: the last pattern that matches a path or a folder above it decides.

use std::fmt;

/// The patterns of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ignore {
    patterns: Vec<Pattern>,
}

/// A line that is no pattern; engines refuse it too.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    line: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no pattern", self.line)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Pattern {
    /// Whether it takes back what earlier patterns ignore.
    exception: bool,
    pieces: Vec<Piece>,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    One(char),
    /// `?`: any character but a slash.
    Any,
    /// `*`: any characters but slashes.
    Name,
    /// `**/` or `**` before more: any number of whole folders.
    Folders,
    /// `**` at the very end, or before a plain ending: anything.
    All,
    /// `[…]`: one of these ranges, or none of them.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Ignore {
    /// # Errors
    /// [`Unreadable`] for a lone `!`, a bracket that is not closed, a backslash at the end.
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let mut patterns = Vec::new();
        for line in text.trim_start_matches('\u{feff}').lines() {
            // A comment begins in the first column.
            let pattern = line.trim();
            if line.starts_with('#') || pattern.is_empty() {
                continue;
            }
            let (exception, path) = match pattern.strip_prefix('!') {
                Some(path) => (true, path.trim()),
                None => (false, pattern),
            };
            let unreadable = || Unreadable { line: pattern.to_owned() };
            if path.is_empty() {
                return Err(unreadable());
            }
            let path = clean(path);
            // For historical reasons `.` ignores nothing.
            if !path.is_empty() {
                patterns.push(Pattern { exception, pieces: pieces(&path).ok_or_else(unreadable)? });
            }
        }
        Ok(Self { patterns })
    }

    /// Whether the engine does not see `path`, which is relative and has slashes.
    pub(super) fn hides(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        self.patterns.iter().fold(false, |hidden, pattern| {
            // A pattern is asked only where it would change something.
            let asked = pattern.exception == hidden;
            hidden ^ (asked && matches(&pattern.pieces, &path))
        })
    }

    /// Whether something below a hidden folder may be seen again, so that the folder has to be walked.
    pub(super) fn has_exceptions(&self) -> bool {
        self.patterns.iter().any(|pattern| pattern.exception)
    }
}

/// Go's `filepath.Clean`, with the slash at the beginning taken away: patterns begin at the context.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            // Above the top there is nothing.
            ".." if path.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn pieces(path: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = path.chars().peekable();
    while let Some(char) = rest.next() {
        pieces.push(match char {
            '*' if rest.next_if_eq(&'*').is_some() => {
                let ending = pieces.is_empty() && rest.peek() != Some(&'/');
                rest.next_if_eq(&'/');
                let plain = !rest.clone().any(|char| "*?[]\\".contains(char));
                if rest.peek().is_none() || (ending && plain) { Piece::All } else { Piece::Folders }
            }
            '*' => Piece::Name,
            '?' => Piece::Any,
            '[' => class(&mut rest)?,
            '\\' => Piece::One(rest.next()?),
            char => Piece::One(char),
        });
    }
    Some(pieces)
}

fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Piece> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        let mut bound = || match rest.next()? {
            '-' | ']' => None,
            '\\' => rest.next(),
            char => Some(char),
        };
        let low = bound()?;
        let high = if rest.next_if_eq(&'-').is_some() {
            match rest.next()? {
                ']' | '-' => return None,
                '\\' => rest.next()?,
                char => char,
            }
        } else {
            low
        };
        ranges.push((low, high));
        if rest.next_if_eq(&']').is_some() {
            return Some(Piece::Class { negated, ranges });
        }
    }
}

/// Whether the pattern matches a path, or a folder above it.
///
/// All places of the pattern that the path may have come to are followed at once. Trying the stars one after another would take
/// exponentially long for `*a*a*a*a*b`, and a `.dockerignore` comes with whatever is built.
fn matches(pieces: &[Piece], path: &[char]) -> bool {
    let end = pieces.len();
    // Before each piece, and inside the whole folders of a `**/`.
    let (mut before, mut inside) = (vec![false; end + 1], vec![false; end]);
    before[0] = true;
    for char in path.iter().copied().map(Some).chain([None]) {
        for place in 0..end {
            // A star may stand for nothing.
            let may_be_empty = matches!(pieces[place], Piece::Name | Piece::Folders | Piece::All);
            before[place + 1] |= before[place] && may_be_empty;
        }
        let Some(char) = char else { break };
        if char == '/' && before[end] {
            return true;
        }
        let (mut next, mut within) = (vec![false; end + 1], vec![false; end]);
        for (place, piece) in pieces.iter().enumerate() {
            let here = before[place];
            match piece {
                Piece::One(wanted) => next[place + 1] |= here && *wanted == char,
                Piece::Any => next[place + 1] |= here && char != '/',
                Piece::Class { negated, ranges } => {
                    let listed = ranges.iter().any(|(low, high)| (low..=high).contains(&&char));
                    next[place + 1] |= here && listed != *negated;
                }
                Piece::Name => next[place] |= here && char != '/',
                Piece::All => next[place] |= here,
                Piece::Folders => {
                    within[place] = here || inside[place];
                    next[place + 1] |= within[place] && char == '/';
                }
            }
        }
        (before, inside) = (next, within);
    }
    before[end]
}

#[cfg(test)]
#[path = "ignore_tests.rs"]
mod tests;
