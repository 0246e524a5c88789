//! The container's health check can run in the image.
//!
//! Source: ECS API, HealthCheck (the command's first word), and the image itself: what `build.cargo` makes
//! holds one static binary at `/app/PACKAGE` and no shell, so a shell command can never pass.

use super::{Diagnostic, Rule, Scope};
use crate::config::raw::Service;

pub(super) const RULE: Rule =
    Rule { code: "container-health", about: "The container's health check can run in the image.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        command(service, found);
    }
}

fn command(service: &Service, found: &mut Vec<Diagnostic>) {
    let health = service.container.value.health_check.as_ref();
    let Some(command) = health.and_then(|health| health.value.command.as_ref()) else { return };
    let words: Vec<&str> = command.value.iter().map(|word| word.value.as_str()).collect();
    let package = service.build.value.cargo.as_ref();
    let fix = package.map_or_else(
        || "[\"CMD\", \"PROGRAM\", …]".to_owned(),
        |package| format!("[\"CMD\", \"/app/{}\", \"probe\"]", package.value),
    );
    match (words.as_slice(), package) {
        (["CMD-SHELL", ..], Some(package)) => found.push(
            Diagnostic::error(RULE.code, "the health check needs a shell, and the image has none")
                .at(command, "runs in `/bin/sh`")
                .context(package, "an image with one static binary in it")
                .replace(command, fix, "run the binary's own probe"),
        ),
        (["CMD-SHELL", _], None) => {}
        (["CMD", program, ..], Some(package)) if *program != format!("/app/{}", package.value) => found.push(
            Diagnostic::error(RULE.code, "the health check's program is not in the image")
                .at(command, format!("`{program}`"))
                .context(package, format!("the image holds `/app/{}` and nothing else", package.value))
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
