//! A plan as a person reads it: what will change, and why.

use crate::model::Owned;
use crate::model::spec::Change;
use crate::plan::{Plan, Why};
use crate::redact;

/// The plan in lines; one sentence when it is empty.
#[must_use]
pub fn plan_text(plan: &Plan) -> String {
    let mut text = String::new();
    for refusal in &plan.refusals {
        text.push_str(&format!("error: {}\n  help: {}\n", refusal.what, refusal.remedy));
    }
    for note in &plan.notes {
        text.push_str(&format!("note: {note}\n"));
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
        text.push_str("plan: none, because of the above\n");
    } else {
        text.push_str(&format!("plan: {count} {}\n", if count == 1 { "step" } else { "steps" }));
    }
    for stage in plan.stages.iter().chain(&plan.after) {
        if stage.lanes.is_empty() {
            continue;
        }
        text.push_str(&format!("  {}\n", stage.name));
        for step in stage.lanes.iter().flat_map(|lane| &lane.steps) {
            let line = format!("    {} {}", step.sign(), step.action.title());
            match &step.why {
                Why::Missing => text.push_str(&format!("{line}\n")),
                Why::Because(why) => text.push_str(&format!("{line}: {why}\n")),
                Why::Changed(changes) => {
                    text.push_str(&format!("{line}\n"));
                    for change in changes {
                        text.push_str(&format!("        {}\n", difference(change)));
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
    redact::text(&text)
}

/// What this tool made and deploy.toml does not have any more, a line each; empty for none.
#[must_use]
pub fn orphans(orphans: &[Owned]) -> String {
    if orphans.is_empty() {
        return String::new();
    }
    let mut text = "not in deploy.toml any more; `cargo xtask prune` deletes it:\n".to_owned();
    for owned in orphans {
        let kept = if owned.kind.holds_data() { " (kept: it holds data)" } else { "" };
        text.push_str(&format!("  {} {}{kept}\n", owned.kind.words(), owned.name));
    }
    text
}

fn difference(change: &Change) -> String {
    let field = &change.field;
    let secret = field.rsplit('.').next().is_some_and(redact::secret_name);
    let shown = |value: &str| match secret && !redact::secret_reference(value) {
        true => redact::MASK.to_owned(),
        false => short_digest(value),
    };
    match (change.from.as_deref().map(shown), change.to.as_deref().map(shown)) {
        (Some(from), Some(to)) => format!("{field}: {from} → {to}"),
        (Some(from), None) => format!("- {field} ({from})"),
        (None, Some(to)) => format!("+ {field} ({to})"),
        (None, None) => field.clone(),
    }
}

/// An image reference with as much of its digest as a person compares.
fn short_digest(text: &str) -> String {
    match text.split_once("@sha256:") {
        Some((name, hex)) => format!("{name}@sha256:{}", hex.get(..12).unwrap_or(hex)),
        None => text.to_owned(),
    }
}
