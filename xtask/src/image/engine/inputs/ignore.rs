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
        let mut ends: Vec<usize> = (0..path.len()).filter(|at| path[*at] == '/').collect();
        ends.push(path.len());
        self.patterns.iter().fold(false, |hidden, pattern| {
            // A pattern is asked only where it would change something.
            let asked = pattern.exception == hidden;
            hidden ^ (asked && ends.iter().any(|end| matches(&pattern.pieces, &path[..*end])))
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

fn matches(pieces: &[Piece], text: &[char]) -> bool {
    let Some((piece, after)) = pieces.split_first() else { return text.is_empty() };
    let one = |fits: bool| fits && matches(after, &text[1..]);
    match (piece, text.first()) {
        (Piece::One(wanted), Some(char)) => one(wanted == char),
        (Piece::Any, Some(char)) => one(*char != '/'),
        (Piece::Class { negated, ranges }, Some(char)) => {
            one(ranges.iter().any(|(low, high)| (low..=high).contains(&char)) != *negated)
        }
        (Piece::Name, _) => {
            let most = text.iter().position(|char| *char == '/').unwrap_or(text.len());
            (0..=most).any(|taken| matches(after, &text[taken..]))
        }
        (Piece::Folders, _) => {
            let ends = (0..text.len()).filter(|at| text[*at] == '/').map(|at| at + 1);
            [0].into_iter().chain(ends).any(|taken| matches(after, &text[taken..]))
        }
        (Piece::All, _) => (0..=text.len()).any(|taken| matches(after, &text[taken..])),
        (Piece::One(_) | Piece::Any | Piece::Class { .. }, None) => false,
    }
}

#[cfg(test)]
#[path = "ignore_tests.rs"]
mod tests;
