//! The container's health check can run in the image.
//!
//! Source: ECS API, HealthCheck (the command's first word), and the image itself: what `build.cargo` makes
//! holds one static binary at `/app/PACKAGE` and no shell, so a shell command can never pass.

use super::{Diagnostic, Place, Rule, Scope};
use crate::model::Service;

pub(super) const RULE: Rule =
    Rule { code: "container-health", about: "The container's health check can run in the image.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        // What the image of an unknown package would hold is not known either: `package-name` says so.
        if service.build.cargo.as_ref().is_some_and(|package| scope.lacks_package(package)) {
            continue;
        }
        command(service, &at, found);
    }
}

fn command(service: &Service, at: &Place<'_>, found: &mut Vec<Diagnostic>) {
    let (command, cargo) = (&at.key("container.health-check.command"), &at.key("build.cargo"));
    let Some(health) = service.container.health_check.as_ref().filter(|_| command.written()) else { return };
    let words: Vec<&str> = health.command.iter().map(String::as_str).collect();
    let package = service.build.cargo.as_ref();
    let fix = package.map_or_else(
        || "[\"CMD\", \"PROGRAM\", …]".to_owned(),
        |package| format!("[\"CMD\", \"/app/{}\", \"probe\"]", package),
    );
    match (words.as_slice(), package) {
        (["CMD-SHELL", ..], Some(_)) => found.push(
            Diagnostic::error(RULE.code, "the health check needs a shell, and the image has none")
                .at(command, "runs in `/bin/sh`")
                .context(cargo, "an image with one static binary in it")
                .replace(command, fix, "run the binary's own probe"),
        ),
        (["CMD-SHELL", _], None) => {}
        (["CMD", program, ..], Some(package)) if *program != format!("/app/{}", package) => found.push(
            Diagnostic::error(RULE.code, "the health check's program is not in the image")
                .at(command, format!("`{program}`"))
                .context(cargo, format!("the image holds `/app/{}` and nothing else", package))
                .replace(command, fix, "run the binary's own probe"),
        ),
        (["CMD", _, ..], _) => {}
        _ => found.push(
            Diagnostic::error(RULE.code, "a health check's command begins with `CMD` or `CMD-SHELL`")
                .at(command, "ECS would refuse it")
                .note("`CMD` takes a program and its arguments, `CMD-SHELL` one text for the shell")
                .replace(command, fix, "name the form first"),
        ),
    }
}
