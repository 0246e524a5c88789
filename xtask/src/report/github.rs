//! What GitHub Actions takes besides the log: annotations of the file, the step summary, the step's outputs.

use std::fs::OpenOptions;
use std::io::{self, Write};

use deploy::config::Finding;
use deploy::event::Event;
use deploy::view::github::{self, finding, masks, outputs, summary};

use super::screen::print_error;
use crate::host::Env;

/// Makes the runner mask the secrets among the job's variables, before anything else is printed.
pub(crate) fn mask(env: &Env) {
    for command in masks(env.iter()) {
        print_error(&command);
    }
}

/// Marks the mistakes of `deploy.toml` on its lines. GitHub reads both streams; standard output is the command's result.
pub(crate) fn annotate(findings: &[Finding]) {
    findings.iter().for_each(|found| print_error(&finding(found)));
}

/// Annotates the failure of a command whose output is one result.
pub(crate) fn annotate_failure(error: &str, hint: Option<&str>) {
    print_error(&github::failure(error, hint));
}

/// Adds the summary and the outputs of a finished command to the files that the runner named. A file that cannot be
/// written is reported, and changes nothing else.
pub(crate) fn conclude(env: &Env, events: &[Event]) -> Vec<String> {
    let files = [("GITHUB_STEP_SUMMARY", summary(events)), ("GITHUB_OUTPUT", outputs(events))];
    let mut problems = Vec::new();
    for (variable, text) in files.into_iter().filter(|(_, text)| !text.is_empty()) {
        let Some(path) = env.get(variable) else { continue };
        if let Err(error) = append(path, &text) {
            problems.push(format!("{variable}: cannot write {path}: {error}"));
        }
    }
    problems
}

fn append(path: &str, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}
