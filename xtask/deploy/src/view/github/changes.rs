//! A plan as a table: what changes, stage by stage, and why.

use super::summary::inline;
use crate::plan::{Plan, Stage, Step};
use crate::redact;
use crate::view::plan_text::reasons;

/// GitHub refuses a comment of more than 65,536 characters, and what stands around the table needs room too.
const LONGEST: usize = 40_000;

/// `3 to add, 1 to change, 0 to delete`.
pub fn counts(plan: &Plan) -> String {
    let of = |sign: &str| plan.steps().filter(|step| step.sign() == sign).count();
    format!("{} to add, {} to change, {} to delete", of("+"), of("~"), of("-"))
}

/// The steps as a table, cut where a comment could not hold it; empty for an empty plan.
pub(super) fn table(plan: &Plan) -> String {
    let stages = plan.stages.iter().chain(&plan.after);
    let steps = |stage: &Stage| stage.lanes.iter().flat_map(|lane| lane.steps.clone()).collect::<Vec<_>>();
    let rows: Vec<String> =
        stages.flat_map(|stage| steps(stage).into_iter().map(|step| row(&stage.name, &step))).collect();
    if rows.is_empty() {
        return String::new();
    }
    let (mut text, mut shown) = ("| | stage | change | why |\n|---|---|---|---|\n".to_owned(), 0);
    for row in &rows {
        if text.len() + row.len() > LONGEST {
            break;
        }
        text.push_str(row);
        shown += 1;
    }
    text.push('\n');
    if shown < rows.len() {
        text.push_str(&format!("and {} more: see the log\n\n", rows.len() - shown));
    }
    text
}

fn row(stage: &str, step: &Step) -> String {
    let why: Vec<String> = reasons(&step.why).iter().map(|line| inline(line)).collect();
    let title = inline(&redact::text(&step.action.title()));
    format!("| `{}` | {} | {title} | {} |\n", step.sign(), inline(stage), why.join("<br>"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::spec::Change;
    use crate::plan::{Action, Lane, Why};

    fn plan(steps: usize) -> Plan {
        let change = |field: &str| Change {
            field: field.into(),
            from: Some("a|b".into()),
            to: Some("hunter2".into()),
            public: false,
        };
        let step = |at| Step {
            action: Action::DeregisterTaskDefinition { revision: format!("web:{at}") },
            why: Why::Changed(vec![change("cpu"), change("environment.DB_PASSWORD")]),
        };
        let lanes = vec![Lane { name: "web".into(), steps: (0..steps).map(step).collect() }];
        Plan { stages: vec![Stage { name: "roll web".into(), lanes, settle: Vec::new() }], ..Plan::default() }
    }

    #[test]
    fn a_table_names_the_stage_and_no_secret_and_no_cell_breaks_it() {
        let table = table(&plan(1));
        let row = "| `-` | roll web | deregister task definition web:0 | \
                   cpu: a\\|b → hunter2<br>environment.DB\\_PASSWORD: \\*\\*\\* → \\*\\*\\* |";
        assert_eq!(table.lines().nth(2), Some(row));
        assert_eq!(counts(&plan(2)), "0 to add, 0 to change, 2 to delete");
    }

    #[test]
    fn a_plan_that_a_comment_could_not_hold_is_cut_and_says_so() {
        let table = table(&plan(2_000));
        assert!(table.len() < 65_000 && table.contains(" more: see the log"), "{}", table.len());
    }
}
