//! What `doctor` found, as a tree.

use super::wrapped;
use crate::doctor::{Check, Report, State};

/// The tree and its sums, without a newline at its end, in so many columns. `paint` colors the word of a state.
pub fn doctor(report: &Report, columns: Option<usize>, paint: impl Fn(State, &str) -> String) -> String {
    let mut lines = Vec::new();
    for group in &report.groups {
        lines.push(group.name.to_owned());
        for check in &group.checks {
            lines.push(painted(check, columns, &paint));
        }
    }
    let sums = State::ALL.into_iter().filter(|state| report.count(*state) > 0);
    let sums: Vec<_> = sums.map(|state| format!("{} {}", report.count(state), state.word())).collect();
    lines.push(format!("\n{}", sums.join(", ")));
    lines.join("\n")
}

/// What follows the first line stands below the name.
fn painted(check: &Check, columns: Option<usize>, paint: &impl Fn(State, &str) -> String) -> String {
    const INDENT: &str = "          ";
    let fit = |text: &str| match columns {
        // `wrapped` moves what follows by two columns.
        Some(columns) => wrapped(&format!("{}{text}", &INDENT[2..]), columns.max(40)),
        None => format!("{}{text}", &INDENT[2..]),
    };
    let text = fit(&format!("  {}: {}", check.name, check.evidence));
    let word = check.state.word();
    let (_, rest) = text.split_at((2 + word.len()).min(text.len()));
    let mut text = format!("  {}{rest}", paint(check.state, word));
    if let Some(remedy) = &check.remedy {
        text.push_str(&format!("\n{}", fit(&format!("  help: {remedy}"))));
    }
    text
}
