//! `workload` is the embedded cloud's: on AWS tasks run on Fargate.

use super::{Diagnostic, Rule, Scope};
use crate::model::Kind;

pub(super) const RULE: Rule =
    Rule { code: "workload", about: "`workload` is set for the embedded cloud only.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let workload = scope.at("workload");
    if scope.environment.kind != Kind::Local && workload.written() {
        found.push(
            Diagnostic::warning(RULE.code, "a workload that nothing runs")
                .at(workload, "on AWS, tasks run on Fargate")
                .help("set it under `[env.local]`, where the embedded cloud runs the tasks"),
        );
    }
}
