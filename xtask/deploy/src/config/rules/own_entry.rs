//! `aws` tables leave alone what the tool sets in a list: its own container, its own port, its own endpoint.
//!
//! Entries of these lists are merged by their names, and so would change what the tool works with. What has a place of its
//! own in the schema is refused there.

use serde_json::Value;

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "own-entry",
    about: "`aws` tables leave the tool's own container, port and endpoint alone.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (container, tables, at) = (&service.container, &service.aws, at.key("aws"));
        let mut refuse = |place, what: &str, label: &str, help: String| {
            let wrong = Diagnostic::error(RULE.code, format!("{what} is not for an `aws` table"));
            found.push(wrong.at(place, label).help(help));
        };
        if tables.task_definition.get(&["containerDefinitions", &container.name]).is_some() {
            let place = at.key("task-definition.containerDefinitions");
            let help = format!("move it to `[service.{}.aws.container]`", service.key);
            refuse(place, &format!("the container `{}`", container.name), "sidecars only", help);
        }
        let port = container.port.to_string();
        if tables.container.get(&["portMappings", &port]).is_some() {
            let place = at.key("container.portMappings");
            refuse(
                place,
                &format!("port {port}"),
                "further ports only",
                "set `container.port-name`".to_owned(),
            );
        }
        let endpoints = tables.connect.get(&["services"]).and_then(Value::as_object);
        let others = endpoints.into_iter().flatten().filter(|(name, _)| **name != container.port_name);
        for (other, _) in others {
            let what = format!("the endpoint `{other}`");
            let help = format!("the service's own endpoint is `portName = \"{}\"`", container.port_name);
            refuse(at.key("connect.services"), &what, "no other endpoint", help);
        }
    }
}
