//! Color: marks and headings only, so that a screen without color says the same. Which marks an event has, its kind says; what an
//! application or ECS printed has none, whatever it looks like.

use anstyle::{AnsiColor, Style};
use deploy::doctor::State;
use deploy::event::Kind;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const CAREFUL: Style = AnsiColor::Yellow.on_default().bold();

/// Marks at the beginning of a line, and their style.
pub(super) type Marks = &'static [(&'static str, Style)];

const PLAN: Marks =
    &[("+ ", GOOD), ("~ ", CAREFUL), ("- ", BAD), ("error:", BAD), ("help:", GOOD), ("note:", CAREFUL)];
const OUTCOME: Marks = &[("✓", GOOD), ("✗", BAD)];
const FAILURE: Marks = &[("tasks ", BAD), ("check ", BAD), ("cause ", BAD), ("remedy ", GOOD)];
/// Of what is reported besides events.
pub(super) const REPORT: Marks = &[
    ("error:", BAD),
    ("warning:", CAREFUL),
    ("help:", GOOD),
    ("✗", BAD),
    ("cause ", BAD),
    ("remedy ", GOOD),
];

pub(super) fn marks(kind: &Kind) -> Marks {
    match kind {
        Kind::Planned { .. } => PLAN,
        Kind::StepEnded { .. }
        | Kind::StepFailed { .. }
        | Kind::Settled { .. }
        | Kind::Undone { .. }
        | Kind::Probed { .. }
        | Kind::Availability(_)
        | Kind::ForecastMet { .. } => OUTCOME,
        Kind::Explained { .. } | Kind::Diagnosed { .. } | Kind::Ended { .. } => FAILURE,
        Kind::Warned { .. } | Kind::Failed { .. } | Kind::LeaseTaken { .. } | Kind::LeaseLost { .. } => {
            REPORT
        }
        _ => &[],
    }
}

/// The word of a check's state.
pub(crate) fn paint_state(state: State, word: &str) -> String {
    let style = match state {
        State::Ok => GOOD,
        State::Unknown | State::Warn => CAREFUL,
        State::Fail => BAD,
    };
    format!("{style}{word}{style:#}")
}

/// Paints the marks of a text. The streams take the color away where nobody sees it.
pub(super) fn paint(text: &str, marks: Marks) -> String {
    text.split('\n').map(|text| line(text, marks)).collect::<Vec<_>>().join("\n")
}

fn line(text: &str, marks: Marks) -> String {
    let word = text.trim_start();
    let (indent, _) = text.split_at(text.len() - word.len());
    match marks.iter().find_map(|(mark, style)| Some((mark, style, word.strip_prefix(mark)?))) {
        Some((mark, style, rest)) => format!("{indent}{style}{mark}{style:#}{rest}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use deploy::model::ServiceKey;

    use super::*;

    #[test]
    fn only_the_mark_is_painted_and_the_text_stays() {
        let painted = paint("   ✓ done\nplain", OUTCOME);
        assert!(painted.starts_with("   \u{1b}[") && painted.ends_with(" done\nplain"), "{painted:?}");
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), "   ✓ done\nplain");
    }

    #[test]
    fn what_an_application_prints_is_never_taken_for_a_mark() {
        let printed = Kind::Printed { service: ServiceKey("web".into()), lines: vec!["error: no".into()] };
        assert_eq!(paint("error: no\n✗ bad", marks(&printed)), "error: no\n✗ bad");
    }
}
