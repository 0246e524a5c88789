//! Tasks that commands can run in have a task role.
//!
//! Source: ECS developer guide, ECS Exec: the agent in the container opens its channels with the task role.
//! CreateService refuses `enableExecuteCommand` without one.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule =
    Rule { code: "exec-role", about: "Tasks that commands can run in have a task role.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        if service.enable_execute_command && service.task_role.is_none() {
            found.push(
                Diagnostic::error(RULE.code, "commands can only run in tasks that have a task role")
                    .at(at.key("enable-execute-command"), format!("`{}` has no `task-role`", service.key))
                    .note("CreateService refuses it: ECS Exec opens its channel with the task role")
                    .help("name a `task-role` that may call ssmmessages, or set `enable-execute-command = false`"),
            );
        }
    }
}
