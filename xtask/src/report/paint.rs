//! Color: marks and headings only, so that a screen without color says the same.

use anstyle::{AnsiColor, Style};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const CAREFUL: Style = AnsiColor::Yellow.on_default().bold();

/// Paints the marks of an event's text. The streams take the color away where nobody sees it.
pub(super) fn paint(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn line(text: &str) -> String {
    let word = text.trim_start();
    let (indent, _) = text.split_at(text.len() - word.len());
    let marks = [
        ("✓", GOOD),
        ("+ ", GOOD),
        ("✗", BAD),
        ("error:", BAD),
        ("tasks ", BAD),
        ("check ", BAD),
        ("cause ", BAD),
        ("~ ", CAREFUL),
        ("warning:", CAREFUL),
        ("help:", GOOD),
        ("remedy ", GOOD),
    ];
    match marks.iter().find_map(|(mark, style)| Some((mark, style, word.strip_prefix(mark)?))) {
        Some((mark, style, rest)) => format!("{indent}{style}{mark}{style:#}{rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_mark_is_painted_and_the_text_stays() {
        let painted = paint("   ✓ done\nplain");
        assert!(painted.starts_with("   \u{1b}[") && painted.ends_with(" done\nplain"), "{painted:?}");
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), "   ✓ done\nplain");
    }
}
