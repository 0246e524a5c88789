//! Text for a terminal: no wider than its columns, and of characters that it has.

use super::table::{address, list};
use super::{Detail, line};
use crate::event::{Event, Kind};

/// The event's text in so many columns: lines are broken between words, and the closing table becomes a list where it does not
/// fit. Without a number nothing is broken: a log file has room.
pub fn fitted(event: &Event, detail: Detail, columns: Option<usize>) -> Option<String> {
    let text = line(event, detail)?;
    let Some(columns) = columns else { return Some(text) };
    Some(match &event.kind {
        Kind::Table { rows, url, unasked } if widest(&text) > columns => {
            let url = url.as_ref().map(|url| format!("\n{}", address(url, unasked.as_deref())));
            wrapped(&format!("\n{}{}", list(rows), url.unwrap_or_default()), columns)
        }
        _ => wrapped(&text, columns),
    })
}

/// Columns of the widest line.
pub fn widest(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

/// Breaks lines between words and indents what follows by two columns. A word longer than a line, such as an ARN, stays whole.
pub fn wrapped(text: &str, columns: usize) -> String {
    let lines = text
        .split('\n')
        .map(|line| if line.chars().count() <= columns { line.to_owned() } else { broken(line, columns) });
    lines.collect::<Vec<_>>().join("\n")
}

fn broken(line: &str, columns: usize) -> String {
    let indent = line.chars().take_while(|c| *c == ' ').count();
    let hanging = " ".repeat((indent + 2).min(columns / 2));
    let (mut text, mut room) = (" ".repeat(indent), columns.saturating_sub(indent));
    for (at, (gap, word)) in words(line).into_iter().enumerate() {
        let width = word.chars().count();
        if at > 0 && gap + width > room {
            text.push('\n');
            text.push_str(&hanging);
            room = columns.saturating_sub(hanging.len());
        } else if at > 0 {
            text.push_str(&" ".repeat(gap));
            room = room.saturating_sub(gap);
        }
        text.push_str(&word);
        room = room.saturating_sub(width);
    }
    text
}

/// The words of a line, each with the blanks before it, which keep columns in line; a number and its unit are one.
fn words(line: &str) -> Vec<(usize, String)> {
    let (mut words, mut gap): (Vec<(usize, String)>, usize) = (Vec::new(), 0);
    for word in line.split(' ') {
        gap += 1;
        if word.is_empty() {
            continue;
        }
        let is_unit =
            matches!(word.trim_end_matches(['.', ',', ';', ')']), "s" | "ms" | "min" | "h" | "d" | "MB");
        match words.last_mut().filter(|(_, last)| is_unit && last.ends_with(|c: char| c.is_ascii_digit())) {
            Some((_, number)) => number.push_str(&format!(" {word}")),
            None => words.push((gap, word.to_owned())),
        }
        gap = 0;
    }
    words
}

/// The same with ASCII in place of this tool's own marks, and `?` for what others printed.
pub fn ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '✓' => ascii.push_str("ok"),
            '✗' => ascii.push('x'),
            '→' => ascii.push_str("->"),
            '·' | '–' | '—' => ascii.push('-'),
            '…' => ascii.push_str("..."),
            c if c.is_ascii() => ascii.push(c),
            _ => ascii.push('?'),
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ServiceRow;

    #[test]
    fn a_number_stays_beside_its_unit() {
        assert_eq!(wrapped("started again after (0.1 s)", 24), "started again after\n  (0.1 s)");
    }

    #[test]
    fn a_line_is_broken_between_words_and_an_arn_is_left_whole() {
        let text = "  cause  name a profile of account 123456789012 with AWS_PROFILE\nshort";
        let wrapped = wrapped(text, 30);
        assert_eq!(
            wrapped,
            "  cause  name a profile of\n    account 123456789012 with\n    AWS_PROFILE\nshort"
        );
        let arn = format!("see {}", "a".repeat(60));
        assert_eq!(super::wrapped(&arn, 30), format!("see\n  {}", "a".repeat(60)));
    }

    #[test]
    fn the_closing_table_is_a_list_where_it_does_not_fit() {
        let row = ServiceRow {
            service: "ielts-backend-service".into(),
            status: "ACTIVE".into(),
            running: 2,
            desired: 2,
            deployments: 1,
            rollout: "COMPLETED".into(),
            revision: "ielts-backend:7".into(),
            targets: "2/2 healthy".into(),
            url: Some("http://127.0.0.1:8088/api/*".into()),
            ..ServiceRow::default()
        };
        let kind = Kind::Table { rows: vec![row], url: Some("http://127.0.0.1:8088".into()), unasked: None };
        let event = Event { seq: 1, at_ms: 0, kind };
        let wide = fitted(&event, Detail::Normal, Some(200)).unwrap();
        assert!(wide.contains("service ") && wide.contains("deployments"), "{wide}");
        let narrow = fitted(&event, Detail::Normal, Some(71)).unwrap();
        assert!(widest(&narrow) <= 71 && narrow.contains("\n  ielts-backend:7, 2/2 healthy"), "{narrow}");
    }

    #[test]
    fn a_terminal_without_utf_8_gets_ascii() {
        assert_eq!(ascii("✓ a → b ✗ é…"), "ok a -> b x ?...");
    }
}
