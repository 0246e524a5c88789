//! The way of a `deploy.toml` from text to environment, stage by stage.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::complete::complete;
use super::diagnostic::{Diagnostic, Findings, Severity, disjoint};
use super::order::put_in_order;
use super::place::{Places, Span};
use super::report::Report;
use super::rules::{self, Draft};
use super::shape::Checked;
use super::workspace::Workspace;
use super::{missing, overlay, redact, schema, shape, suggest, syntax};
use crate::model::Environment;

/// A file that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The environment that was asked for.
    pub environment: Environment,
    /// What somebody may regret. Not an obstacle.
    pub warnings: Report,
}

/// Reads the environment `env` (`None`: the file's `default-env`) out of the text of a `deploy.toml`.
pub fn load(origin: &str, text: &str, env: Option<&str>) -> Result<Loaded, Report> {
    load_in(Workspace::UNKNOWN, origin, text, env)
}

/// The same, for a file whose repository is at hand.
///
/// `origin` is the file's name as messages show it.
///
/// # Errors
/// Everything that is wrong with the file, warnings included. What is wrong in another environment only is a warning.
pub fn load_in(
    workspace: Workspace<'_>,
    origin: &str,
    text: &str,
    env: Option<&str>,
) -> Result<Loaded, Report> {
    match judged(workspace, origin, text, env) {
        (Some(environment), report) if report.errors() == 0 => Ok(Loaded { environment, warnings: report }),
        (_, report) => Err(report),
    }
}

/// The environment as far as the file says it, and everything that is wrong with the file: it may be refused.
pub(crate) fn judged(
    workspace: Workspace<'_>,
    origin: &str,
    text: &str,
    env: Option<&str>,
) -> (Option<Environment>, Report) {
    let (file, errors) = DeTable::parse_recoverable(text);
    let masked = redact::mask(text, file.get_ref());
    if !errors.is_empty() {
        // What the parser recovered after an error is a guess: judging it would blame the wrong lines.
        let found = syntax::mistakes(text, &errors);
        return (None, Report::new(origin, redact::mask_lines(&masked), found));
    }
    let span = file.span();
    let mut file = file.into_inner();
    let written = Places::of(&file);
    let Checked { mut found, doubtful } = shape::check(&schema::document(), &masked, &mut file);
    let file = Spanned::new(span, file);
    let mut drafts: Vec<Draft> =
        names(file.get_ref()).iter().filter_map(|name| read(&file, name, &mut found)).collect();
    let doubtful = disjoint(doubtful);
    let judge = |draft: &Draft| {
        let scope = draft.scope(&drafts, workspace);
        let mut heard = rules::check(&scope);
        missing::check(&scope, &doubtful, &mut heard);
        heard.all.retain(|wrong| !wrong.touches(&doubtful));
        heard.all
    };
    let name = chosen(file.get_ref(), env, &mut found);
    let at = name.and_then(|name| drafts.iter().position(|it| it.environment.name == name));
    let environment = match at {
        None => None,
        Some(at) => {
            found.all.extend(judge(&drafts[at]));
            let mut known: BTreeSet<_> = found.all.iter().map(Diagnostic::identity).collect();
            for draft in drafts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, draft)| draft) {
                for wrong in judge(draft).into_iter().filter(|wrong| wrong.severity == Severity::Error) {
                    if known.insert(wrong.identity()) {
                        found.all.push(wrong.elsewhere(&draft.environment.name));
                    }
                }
            }
            Some(drafts.swap_remove(at).environment)
        }
    };
    let environment = environment.map(|mut environment| {
        put_in_order(&mut environment.services);
        environment
    });
    (environment, Report::new(origin, masked, found).with_paths(&written))
}

/// The names of a file's environments, sorted; as many as can be read from a file with mistakes.
pub fn environments(text: &str) -> Vec<String> {
    let (file, _) = DeTable::parse_recoverable(text);
    names(file.get_ref()).into_iter().map(str::to_owned).collect()
}

/// One environment of the file. None where serde refuses what `shape` has left, which it should not: the place is still known.
fn read(file: &Spanned<DeTable<'_>>, name: &str, found: &mut Findings) -> Option<Draft> {
    let merged = overlay::environment(file.get_ref(), name);
    let places = Places::of(&merged);
    match Environment::deserialize(toml::Deserializer::from(Spanned::new(file.span(), merged))) {
        Ok(environment) => {
            let written = places.paths().cloned().collect();
            let mut environment = Environment { name: name.to_owned(), written, ..environment };
            let mistyped = mistyped(&mut environment, &places, file.get_ref());
            let listener = complete(&mut environment, &places);
            let section = environment_section(file.get_ref(), name);
            Some(Draft { environment, places, section, listener, mistyped })
        }
        Err(error) => {
            found.of("wrong-type").error(error.message()).at(error.span(), "cannot be read");
            None
        }
    }
}

/// Takes out the services of this environment alone that say too little to be one and are called almost as another: what the
/// rules say of them is of no use.
fn mistyped(environment: &mut Environment, places: &Places, file: &DeTable<'_>) -> Vec<(String, String)> {
    let Some(common) = file.get("service").and_then(|services| services.get_ref().as_table()) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    environment.services.retain(|service| {
        let name = service.key.0.as_str();
        let at = places.at(format_args!("service.{name}"));
        if common.contains_key(name) || missing::lacks(service, &at, &[]).is_empty() {
            return true;
        }
        let meant = suggest::closest(name, common.keys().map(|key| key.get_ref().as_ref()));
        all.extend(meant.map(|meant| (name.to_owned(), meant.to_owned())));
        meant.is_none()
    });
    all
}

/// The environment that is meant.
fn chosen(file: &DeTable<'_>, env: Option<&str>, found: &mut Findings) -> Option<String> {
    let default = file.get("default-env").and_then(|value| Some((value.get_ref().as_str()?, value.span())));
    let known = names(file);
    found.of("unknown-env");
    let Some(name) = env.or(default.as_ref().map(|(name, _)| *name)) else {
        found
            .error("no environment is named")
            .help("choose one with `--env`, or add `default-env = \"…\"` at the top of the file");
        return None;
    };
    if environment_section(file, name).is_some() {
        return Some(name.to_owned());
    }
    let unknown = found.error(format!("there is no environment `{name}`"));
    if let (None, Some((_, place))) = (env, default.as_ref()) {
        unknown.at(place, "no `[env.…]` of this name");
    }
    match suggest::closest(name, known.iter().copied()) {
        Some(meant) => unknown.help(format!("did you mean `{meant}`?")),
        None => unknown.note(format!("the file has {}", suggest::all(known))),
    };
    None
}

fn environment_section(file: &DeTable<'_>, name: &str) -> Option<Span> {
    let environments = file.get("env")?.get_ref().as_table()?;
    Some(environments.get(name)?.span())
}

fn names<'a>(file: &'a DeTable<'_>) -> Vec<&'a str> {
    let environments = file.get("env").and_then(|env| match env.get_ref() {
        DeValue::Table(environments) => Some(environments),
        _ => None,
    });
    environments.into_iter().flat_map(DeTable::keys).map(|name| name.get_ref().as_ref()).collect()
}
