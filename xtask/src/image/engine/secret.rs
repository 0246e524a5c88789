//! Secrets of a build: named on the command line, and handed over beside it.
//!
//! Engines read a variable or a file themselves, so the values go through no argument and no file of this tool. They are
//! known here only to be taken out of the lines that a build prints.

use std::collections::BTreeMap;
use std::path::Path;

use deploy::model::BuildSecret;

use super::Failure;
use crate::host::Env;

/// Shorter texts are not taken out: they stand in lines by chance.
const SHORTEST: usize = 4;

/// What must not be seen in what a build prints.
#[derive(Default)]
pub(super) struct Secrets {
    values: Vec<String>,
}

impl Secrets {
    /// Reads what a build will need, so that a missing one is an error of this tool before the build.
    ///
    /// # Errors
    /// [`Failure::Secret`] for a variable that is not set, or a file that cannot be read.
    pub(super) fn read(
        env: &Env,
        workspace: &Path,
        secrets: &BTreeMap<String, BuildSecret>,
    ) -> Result<Self, Failure> {
        let mut values = Vec::new();
        for (id, secret) in secrets {
            let missing =
                |why: String, what: &str| Failure::Secret { id: id.clone(), why, remedy: what.into() };
            let text = match (&secret.env, &secret.file) {
                (Some(name), _) => env.get(name).map(str::to_owned).ok_or_else(|| {
                    missing(
                        format!("the environment variable {name} is not set"),
                        "set it where the tool runs; in a workflow, in `env` of the step",
                    )
                })?,
                (None, file) => {
                    let file = file.as_deref().unwrap_or_default();
                    let bytes = std::fs::read(workspace.join(file)).map_err(|error| {
                        missing(
                            format!("{file} cannot be read: {error}"),
                            "its path is from the top of the workspace",
                        )
                    })?;
                    String::from_utf8_lossy(&bytes).into_owned()
                }
            };
            let parts = text.lines().chain([text.as_str()]).map(str::trim);
            values.extend(parts.filter(|part| part.len() >= SHORTEST).map(str::to_owned));
        }
        // The longest first: one may be a part of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Ok(Self { values })
    }

    pub(super) fn hide(&self, line: &str) -> String {
        self.values.iter().fold(line.to_owned(), |line, value| line.replace(value, "***"))
    }
}

pub(super) fn option(id: &str, secret: &BuildSecret) -> String {
    match (&secret.env, &secret.file) {
        (Some(name), _) => format!("id={id},env={name}"),
        (None, file) => format!("id={id},src={}", file.as_deref().unwrap_or_default()),
    }
}
