//! The way of a `deploy.toml` from text to environment, stage by stage.

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::Diagnostic;
use super::raw::Settings;
use super::report::Report;
use super::resolve::resolve;
use super::rules::{self, Other, Scope};
use super::setting::Span;
use super::shape::Checked;
use super::{overlay, redact, schema, shape, suggest};
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
///
/// `origin` is the file's name as messages show it.
///
/// # Errors
/// Everything that is wrong with the file, warnings included. The structure is checked for all environments,
/// the rules for the one that is asked for.
pub fn load(origin: &str, text: &str, env: Option<&str>) -> Result<Loaded, Report> {
    let (file, errors) = DeTable::parse_recoverable(text);
    let masked = redact::mask(text, file.get_ref());
    if !errors.is_empty() {
        // What the parser recovered after an error is a guess: judging it would blame the wrong lines.
        let found = errors.iter().map(|error| syntax(text, error)).collect();
        return Err(Report::new(origin, redact::mask_lines(&masked), found));
    }
    let span = file.span();
    let mut file = file.into_inner();
    let Checked { mut found, doubtful } = shape::check(&schema::document(), &masked, &mut file);
    let environment = match chosen(&file, env) {
        Ok((name, place)) => {
            let others = others(&file, &name, &span);
            let merged = Spanned::new(span, overlay::environment(&file, &name));
            let (environment, heard) = read(merged, &name, place, &others);
            found.extend(heard.into_iter().filter(|told| !told.touches(&doubtful)));
            environment
        }
        Err(unknown) => {
            found.push(*unknown);
            None
        }
    };
    let report = Report::new(origin, masked, found);
    match environment {
        Some(environment) if report.errors() == 0 => Ok(Loaded { environment, warnings: report }),
        _ => Err(report),
    }
}

/// The names of a file's environments, sorted; as many as can be read from a file with mistakes.
#[must_use]
pub fn environments(text: &str) -> Vec<String> {
    let (file, _) = DeTable::parse_recoverable(text);
    names(file.get_ref()).into_iter().map(str::to_owned).collect()
}

/// Runs the rules and fills in what is derived. No environment when a key is missing that cannot be derived.
fn read(
    merged: Spanned<DeTable<'_>>,
    env: &str,
    place: Option<Span>,
    others: &[Other],
) -> (Option<Environment>, Vec<Diagnostic>) {
    match Settings::deserialize(toml::Deserializer::from(merged)) {
        Ok(settings) => {
            let scope = Scope::new(env, place, &settings, others);
            let mut found = rules::check(&scope);
            (resolve(&scope, &mut found), found)
        }
        // `shape` leaves nothing that serde could refuse; should the two disagree, the place is still known.
        Err(error) => {
            let wrong = Diagnostic::error("wrong-type", error.message());
            (None, vec![wrong.at(&error.span(), "cannot be read")])
        }
    }
}

/// The file's other environments. One that cannot be read is judged when it is asked for.
fn others(file: &DeTable<'_>, chosen: &str, span: &Span) -> Vec<Other> {
    let other = |name: &str| {
        let merged = Spanned::new(span.clone(), overlay::environment(file, name));
        let settings = Settings::deserialize(toml::Deserializer::from(merged)).ok()?;
        Some(Other { name: name.to_owned(), place: environment_section(file, name), settings })
    };
    names(file).into_iter().filter(|name| *name != chosen).filter_map(other).collect()
}

/// The environment that is meant, and where its section begins.
fn chosen(file: &DeTable<'_>, env: Option<&str>) -> Result<(String, Option<Span>), Box<Diagnostic>> {
    let default = file.get("default-env").and_then(|value| Some((value.get_ref().as_str()?, value.span())));
    let known = names(file);
    let Some(name) = env.or(default.as_ref().map(|(name, _)| *name)) else {
        return Err(Box::new(
            Diagnostic::error("unknown-env", "no environment is named")
                .help("say which one with `--env`, or add `default-env = \"…\"` at the top of the file"),
        ));
    };
    if let Some(section) = environment_section(file, name) {
        return Ok((name.to_owned(), Some(section)));
    }
    let unknown = Diagnostic::error("unknown-env", format!("there is no environment `{name}`"));
    let unknown = match (env, default) {
        (None, Some((_, place))) => unknown.at(&place, "no `[env.…]` of this name"),
        _ => unknown,
    };
    Err(Box::new(match suggest::closest(name, known.iter().copied()) {
        Some(meant) => unknown.help(format!("did you mean `{meant}`?")),
        None => unknown.note(format!("the file has {}", suggest::all(known))),
    }))
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

/// The parser's own words, at a place that can be seen: an error at the end of a line points at its last
/// character.
fn syntax(text: &str, error: &toml::de::Error) -> Diagnostic {
    let span = error.span().map(|span| if span.is_empty() { before(text, span.start) } else { span });
    Diagnostic::error("syntax", error.message()).at(&span, "not TOML")
}

fn before(text: &str, at: usize) -> Span {
    let head = text.get(..at).unwrap_or(text);
    let end = head.trim_end().len();
    let start = head[..end].char_indices().next_back().map_or(0, |(start, _)| start);
    start..end
}
