//! The files that describe an image's build.

#[path = "../../../src/image/engine/inputs/dockerfile.rs"]
mod dockerfile;
#[path = "../../../src/image/engine/inputs/ignore.rs"]
mod ignore;

use std::collections::BTreeMap;

/// Whether a `.dockerignore` hides each of the paths; `None` where it is no such file.
pub(crate) fn hidden(text: &str, paths: &[&str]) -> Option<Vec<bool>> {
    let ignore = ignore::Ignore::parse(text).ok()?;
    Some(paths.iter().map(|path| ignore.hides(path)).collect())
}

pub(crate) fn images(text: &str) -> (Option<Vec<String>>, Option<String>) {
    let args = BTreeMap::from([("BASE".to_owned(), "node:22".to_owned())]);
    (dockerfile::images(text, &args), dockerfile::frontend(text))
}
