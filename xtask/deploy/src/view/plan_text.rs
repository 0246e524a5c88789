//! A plan as a person reads it: what will change, and why.

use crate::model::Owned;
use crate::model::spec::Change;
use crate::plan::{Plan, Why};
use crate::redact;

/// The plan in lines; one sentence when it is empty. Why it is refused is the failure that follows it.
pub fn plan_text(plan: &Plan) -> String {
    let (mut done, mut text) = (String::new(), String::new());
    for note in &plan.notes {
        text.push_str(&format!("note: {}\n", one_line(note)));
    }
    let count = plan.steps().count();
    if count == 0 && plan.refusals.is_empty() {
        let names: Vec<_> = plan.parked.iter().map(|key| key.0.as_str()).collect();
        let parked = match names.is_empty() {
            true => String::new(),
            false => {
                format!("; {} runs no task, so no deploy can prove it (exit code 8)", names.join(" and "))
            }
        };
        text.push_str(&format!("plan: nothing to change{parked}\n"));
    } else if count == 0 {
        text.push_str("plan: refused\n");
    } else {
        text.push_str(&format!("plan: {count} {}\n", if count == 1 { "step" } else { "steps" }));
    }
    for stage in plan.stages.iter().chain(&plan.after) {
        if stage.lanes.is_empty() {
            continue;
        }
        text.push_str(&format!("  {}\n", stage.name));
        for step in stage.lanes.iter().flat_map(|lane| &lane.steps) {
            let line = format!("    {} {}", step.sign(), one_line(&step.action.title()));
            match &step.why {
                Why::Missing => text.push_str(&format!("{line}\n")),
                Why::Because(why) => text.push_str(&format!("{line}: {}\n", one_line(why))),
                Why::Changed(changes) => {
                    text.push_str(&format!("{line}\n"));
                    for change in changes {
                        let line = format!("        {}\n", difference(change));
                        if change.public {
                            done.push_str(&redact::text(&std::mem::take(&mut text)));
                            done.push_str(&line);
                        } else {
                            text.push_str(&line);
                        }
                    }
                }
            }
        }
    }
    for stage in plan.stages.iter().filter(|stage| !stage.settle.is_empty() && stage.lanes.is_empty()) {
        let names: Vec<_> = stage.settle.iter().map(|key| key.0.as_str()).collect();
        text.push_str(&format!("  waits for the deployment of {} that is under way\n", names.join(" and ")));
    }
    text.push_str(&orphans(&plan.orphans));
    // Plain variables of deploy.toml, and of definitions that somebody else registered, may hold a secret.
    done + &redact::text(&text)
}

/// What this tool made and deploy.toml no longer uses, a line each; empty for none.
pub fn orphans(orphans: &[Owned]) -> String {
    let listed = |holds: bool, head: &str| {
        let of = orphans.iter().filter(|owned| owned.kind.holds_data() == holds);
        let lines: String = of.map(|owned| format!("  {} {}\n", owned.kind.words(), owned.name)).collect();
        if lines.is_empty() { lines } else { format!("{head}:\n{lines}") }
    };
    [
        listed(false, "no longer used by deploy.toml; `cargo xtask prune` deletes it"),
        listed(true, "no longer used by deploy.toml; kept, because it holds data"),
    ]
    .concat()
}

/// Why a step is there, a line for each reason, with secrets masked.
pub(super) fn reasons(why: &Why) -> Vec<String> {
    match why {
        Why::Missing => Vec::new(),
        Why::Because(why) => vec![one_line(&redact::text(why))],
        Why::Changed(changes) => {
            let line = |change: &Change| {
                let line = difference(change);
                if change.public { line } else { redact::text(&line) }
            };
            changes.iter().map(line).collect()
        }
    }
}

fn difference(change: &Change) -> String {
    let field = &change.field;
    let secret = !change.public && field.rsplit('.').next().is_some_and(redact::secret_name);
    let shown = |value: &str| match secret && !redact::secret_reference(value) {
        true => redact::MASK.to_owned(),
        false if change.public => short_digest(value),
        // Before its line breaks are gone: a private key is found by its lines.
        false => short_digest(&redact::text(value)),
    };
    one_line(&match (change.from.as_deref().map(shown), change.to.as_deref().map(shown)) {
        (Some(from), Some(to)) => format!("{field}: {from} → {to}"),
        (Some(from), None) => format!("- {field} ({from})"),
        (None, Some(to)) => format!("+ {field} ({to})"),
        (None, None) => field.clone(),
    })
}

/// Values are whatever somebody wrote: a line break in one does not end the plan's line, nor does a terminal obey it.
fn one_line(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// An image reference with as much of its digest as a person compares.
fn short_digest(text: &str) -> String {
    match text.split_once("@sha256:") {
        Some((name, hex)) => format!("{name}@sha256:{}", hex.get(..12).unwrap_or(hex)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Action, Lane, Stage, Step};

    #[test]
    fn no_value_ends_the_line_that_it_is_in() {
        let values = [
            "x=\"y\"\n'z'\r\tend",
            "\u{1b}[2J\u{7f}\u{9b}0m",
            "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----",
        ];
        let change = |value: &&str| Change {
            field: "containers.web.environment.A\nB".into(),
            from: Some((*value).to_owned()),
            to: None,
            public: false,
        };
        let action = Action::DeregisterTaskDefinition { revision: "web\n:1".into() };
        let changed = Step { action: action.clone(), why: Why::Changed(values.iter().map(change).collect()) };
        let steps = vec![changed, Step { action, why: Why::Because("a\nb".into()) }];
        let lanes = vec![Lane { name: "web".into(), steps }];
        let stage = Stage { name: "roll".into(), lanes, settle: Vec::new() };
        let plan = Plan { stages: vec![stage], notes: vec!["a\nnote".into()], ..Plan::default() };
        let text = plan_text(&plan);
        assert_eq!(text.lines().count(), 8, "{text}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(text.contains(r#"(x="y"\n'z'\r\tend)"#) && !text.contains("MIIE"), "{text}");
    }

    #[test]
    fn a_public_variable_is_shown_and_its_neighbours_are_not() {
        let change = |name: &str, public| Change {
            field: format!("containers.web.environment.{name}"),
            from: Some("5".into()),
            to: Some("6".into()),
            public,
        };
        let changes =
            vec![change("API_TOKEN", false), change("TOKEN_LIFETIME", true), change("DB_PWD", false)];
        let action = Action::DeregisterTaskDefinition { revision: "web:1".into() };
        let steps = vec![Step { action, why: Why::Changed(changes) }];
        let lanes = vec![Lane { name: "web".into(), steps }];
        let stage = Stage { name: "roll".into(), lanes, settle: Vec::new() };
        let text = plan_text(&Plan { stages: vec![stage], ..Plan::default() });
        let lines: Vec<&str> =
            text.lines().filter_map(|line| line.split_once("environment.")).map(|it| it.1).collect();
        assert_eq!(lines, ["API_TOKEN: *** → ***", "TOKEN_LIFETIME: 5 → 6", "DB_PWD: *** → ***"]);
    }
}
