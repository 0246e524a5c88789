//! Mistakes of a text that is no TOML, in the parser's words: one for each cause, at a place that can be seen.

use toml::de::Error;

use super::diagnostic::Findings;
use super::place::Span;
use super::shape::truth;

/// All of them; what the parser reports of a table because that table is there already is no mistake of its own.
pub(super) fn mistakes(text: &str, errors: &[Error]) -> Findings {
    let mut found = Findings::default();
    found.of("syntax");
    let mut repeated = 0..0;
    for error in errors {
        let span = place(text, error);
        if error.message() != "duplicate key" {
            unread(text, error, span, &mut found);
        } else if !repeated.contains(&span.start) {
            let begin = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
            let line = text[begin..].lines().next().unwrap_or_default();
            if line.trim_start().starts_with('[') {
                let end = text[begin..].find("\n[").map_or(text.len(), |at| begin + at);
                repeated = span.start..end;
            }
            duplicate(text, span, begin, line.trim(), &mut found);
        }
    }
    found
}

fn duplicate(text: &str, span: Span, begin: usize, line: &str, found: &mut Findings) {
    let (what, earlier) = if line.starts_with('[') {
        (format!("the table `{line}`"), first_line(text, 0, begin, |other| other == line))
    } else {
        let name = text.get(span.clone()).unwrap_or_default();
        let section = text[..begin].rfind("\n[").unwrap_or(0);
        let same = |other: &str| {
            other.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
        };
        (format!("`{name}`"), first_line(text, section, begin, same))
    };
    let wrong = found.error(format!("{what} is defined twice")).at(&span, "again");
    if let Some(first) = earlier {
        wrong.context(first, "first here");
    }
    wrong.help(if line.starts_with('[') {
        "put the keys of both under one heading"
    } else {
        "keep one of the two"
    });
}

/// The first line between two places that is meant.
fn first_line(text: &str, from: usize, to: usize, is: impl Fn(&str) -> bool) -> Option<Span> {
    let mut start = from;
    for line in text[from..to].split_inclusive('\n') {
        let bare = line.trim();
        if is(bare) {
            let begin = start + line.find(bare).unwrap_or_default();
            return Some(begin..begin + bare.len());
        }
        start += line.len();
    }
    None
}

fn unread(text: &str, error: &Error, span: Span, found: &mut Findings) {
    let begin = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[begin..].lines().next().unwrap_or_default();
    if let Some((at, value)) = colon(line) {
        // The parser finds two mistakes in such a line, and names neither.
        let sign = begin + at..begin + at + 1;
        if !found.all.iter().any(|it| it.edit.as_ref().is_some_and(|edit| edit.span.start == sign.start)) {
            let wrong = found.error("a value is assigned with `=`").at(&sign, "not TOML");
            // In YAML such a word needs no quotes, and its value would be refused next.
            match truth(value).filter(|meant| *meant != value) {
                Some(meant) => wrong.replace(
                    sign.start..begin + at + 1 + line[at + 1..].trim_end().len(),
                    format!(" = {meant}"),
                    "put `=` in place of the colon",
                ),
                None => wrong.replace(sign.clone(), " =", "put `=` in place of the colon"),
            };
        }
        return;
    }
    // A value without quotes, which other languages may take for a truth.
    let word = text[..span.end].rsplit(|c: char| c.is_whitespace() || c == '=').next().unwrap_or_default();
    let rest = text[span.end..].split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let written = format!("{word}{rest}");
    // The parser takes a word that begins with `n` or `i` for a number.
    let number = error.message().starts_with("invalid float, expected");
    if error.message().starts_with("unexpected leading zero") {
        return leading_zero(text, line, span, found);
    }
    let message = match truth(&written).is_some() || number {
        true => "a value is `true`, `false`, a number, or a text in quotes",
        false => error.message(),
    };
    let wrong = found.error(message).at(&span, "not TOML");
    if error.message().starts_with("cannot extend value of type inline table") {
        wrong.help("what is in braces is whole: write all of it in the braces, or all of it under headings");
        return;
    }
    if let Some(meant) = truth(&written).filter(|meant| *meant != written) {
        let from = span.end - word.len();
        wrong.replace(from..from + written.len(), meant, format!("did you mean `{meant}`?"));
    }
}

/// TOML has no numbers that begin with a zero. An account is a text; of all else the zeros say nothing.
fn leading_zero(text: &str, line: &str, span: Span, found: &mut Findings) {
    let digit = |c: char| c.is_ascii_digit() || c == '_';
    let from = text[..span.start].trim_end_matches(digit).len();
    let number: String = text[from..].chars().take_while(|c| digit(*c)).collect();
    let place = from..from + number.len();
    if number.is_empty() || found.all.iter().any(|it| it.labels.iter().any(|label| label.span == place)) {
        return;
    }
    let wrong = found.error("a number does not begin with a zero").at(&place, "not TOML");
    if line.trim_start().starts_with("account") {
        wrong.replace(&place, format!("\"{number}\""), "an account is a text: put it in quotes");
    } else {
        let bare = number.trim_start_matches(['0', '_']);
        wrong.replace(&place, if bare.is_empty() { "0" } else { bare }, "remove the zeros");
    }
}

/// The place of the colon in a line that is written as YAML, `key: value`, and the value.
pub(super) fn colon(line: &str) -> Option<(usize, &str)> {
    let (key, value) = line.split_once(':')?;
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let written = !key.trim().is_empty() && key.trim().chars().all(bare) && value.starts_with(' ');
    written.then_some((key.len(), value.trim()))
}

/// An error at the end of a line points at its last character.
fn place(text: &str, error: &Error) -> Span {
    let span = error.span().unwrap_or(0..0);
    if !span.is_empty() {
        return span;
    }
    let head = text.get(..span.start).unwrap_or(text);
    let end = head.trim_end().len();
    let start = head[..end].char_indices().next_back().map_or(0, |(start, _)| start);
    start..end
}
