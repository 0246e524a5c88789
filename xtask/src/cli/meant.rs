//! The services that a command line names, by their keys in deploy.toml or by their names on AWS.

use deploy::config::closest;
use deploy::model::{Environment, Service};

use super::Failure;

/// The services of these names; all where none is named.
pub(super) fn services<'a>(
    environment: &'a Environment,
    names: &[String],
) -> Result<Vec<&'a Service>, Failure> {
    if names.is_empty() {
        return Ok(environment.services.iter().collect());
    }
    names.iter().map(|name| service(environment, name)).collect()
}

pub(super) fn service<'a>(environment: &'a Environment, name: &str) -> Result<&'a Service, Failure> {
    let meant = |service: &&Service| service.key.0 == name || service.name == name;
    environment.services.iter().find(meant).ok_or_else(|| {
        unknown("service", name, environment.services.iter().map(|service| service.key.0.as_str()))
    })
}

/// A name that deploy.toml does not have.
pub(super) fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let known: Vec<&str> = known.collect();
    let failure = Failure::usage(format!("deploy.toml has no {what} `{name}`; it has {}", known.join(", ")));
    match closest(name, known) {
        Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_is_answered_with_the_one_that_was_meant() {
        let failure = unknown("service", "fronted", ["backend", "frontend"].into_iter());
        assert_eq!(failure.error, "deploy.toml has no service `fronted`; it has backend, frontend");
        assert_eq!(failure.hint.as_deref(), Some("did you mean `frontend`?"));
        assert_eq!(unknown("service", "db", ["backend", "frontend"].into_iter()).hint, None);
    }
}
