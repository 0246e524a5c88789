//! What cargo says on standard output with `--message-format json-render-diagnostics`: where the executables are.
//!
//! Cargo reference, "External tools: JSON messages". Paths are taken from here and never put together, since
//! they depend on the target directory, the target and the profile.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::image) struct Executable {
    pub(in crate::image) version: String,
    pub(in crate::image) path: PathBuf,
}

/// Why a package's executable is not clear from cargo's messages.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// A line of another shape.
    #[error("cargo said something unexpected: {0}")]
    Message(String),
    /// A library, or a package that was not built.
    #[error("package {0} has no binary target, so there is nothing to run in its image")]
    None(String),
    /// None of several has the package's name.
    #[error("package {package} has several binary targets ({}); name the one to run {package}", names.join(", "))]
    Several { package: String, names: Vec<String> },
}

#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact(Artifact),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// The executable of each of `packages`.
pub(super) fn executables<'p>(
    stdout: &str,
    packages: impl IntoIterator<Item = &'p str>,
) -> Result<BTreeMap<String, Executable>, Unclear> {
    let mut found: BTreeMap<(String, String), Executable> = BTreeMap::new();
    // Wrappers and build scripts may write here too; cargo's own lines are JSON objects.
    for line in stdout.lines().filter(|line| line.starts_with('{')) {
        let message: Message =
            serde_json::from_str(line).map_err(|error| Unclear::Message(format!("{error} in {line}")))?;
        let Message::CompilerArtifact(artifact) = message else { continue };
        let Some(path) = artifact.executable else { continue };
        if artifact.target.kind.iter().any(|kind| kind == "bin") {
            let (package, version) = name_and_version(&artifact.package_id)
                .ok_or_else(|| Unclear::Message(format!("package id {}", artifact.package_id)))?;
            found.insert((package, artifact.target.name), Executable { version, path });
        }
    }
    packages.into_iter().map(|package| Ok((package.to_owned(), choose(&mut found, package)?))).collect()
}

fn choose(found: &mut BTreeMap<(String, String), Executable>, package: &str) -> Result<Executable, Unclear> {
    let mut names: Vec<String> =
        found.keys().filter(|(owner, _)| owner == package).map(|(_, name)| name.clone()).collect();
    let name = match names.iter().position(|name| name == package) {
        Some(index) => names.swap_remove(index),
        None if names.len() > 1 => return Err(Unclear::Several { package: package.to_owned(), names }),
        None => names.pop().ok_or_else(|| Unclear::None(package.to_owned()))?,
    };
    found.remove(&(package.to_owned(), name)).ok_or_else(|| Unclear::None(package.to_owned()))
}

/// Reads a package id specification: `path+file:///w/backend#0.1.0`, or `…#backend@0.1.0` where
/// the folder has another name.
fn name_and_version(id: &str) -> Option<(String, String)> {
    let (url, fragment) = id.rsplit_once('#')?;
    let (name, version) = match fragment.rsplit_once('@') {
        Some((name, version)) => (name, version),
        None => (url.rsplit('/').next()?, fragment),
    };
    Some((name.to_owned(), version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(id: &str, name: &str, kind: &str, executable: Option<&str>) -> String {
        let target = serde_json::json!({"kind": [kind], "crate_types": [kind], "name": name});
        serde_json::json!({
            "reason": "compiler-artifact", "package_id": id, "target": target,
            "executable": executable, "fresh": true, "filenames": [],
        })
        .to_string()
    }

    fn paths(lines: &[String], packages: &[&str]) -> Result<Vec<String>, Unclear> {
        let found = executables(&lines.join("\n"), packages.iter().copied())?;
        Ok(found.iter().map(|(name, it)| format!("{name} {} {}", it.version, it.path.display())).collect())
    }

    #[test]
    fn executables_are_where_cargo_says() {
        let lines = [
            artifact("registry+https://example.org/index#axum@0.8.9", "axum", "lib", None),
            artifact(
                "path+file:///w/backend#0.1.0",
                "build-script-build",
                "custom-build",
                Some("/w/t/build"),
            ),
            r#"{"reason":"build-script-executed","package_id":"x","linked_libs":[]}"#.to_owned(),
            "a wrapper's own chatter".to_owned(),
            artifact("path+file:///w/backend#0.1.0", "backend", "bin", Some("/w/t/backend")),
            artifact("path+file:///w/web%20app#frontend@1.2.0-rc.1", "web", "bin", Some("/w/t/web")),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let found = paths(&lines, &["backend", "frontend"]);
        assert_eq!(found.unwrap(), ["backend 0.1.0 /w/t/backend", "frontend 1.2.0-rc.1 /w/t/web"]);
    }

    #[test]
    fn a_package_with_no_binary_or_several_is_reported_and_not_guessed() {
        let id = "path+file:///w/jobs#0.1.0";
        let two = [artifact(id, "one", "bin", Some("/1")), artifact(id, "two", "bin", Some("/2"))];
        let names = vec!["one".to_owned(), "two".to_owned()];
        assert_eq!(paths(&two, &["jobs"]), Err(Unclear::Several { package: "jobs".to_owned(), names }));
        assert_eq!(paths(&two, &["other"]), Err(Unclear::None("other".to_owned())));
        let named = [artifact(id, "jobs", "bin", Some("/jobs")), artifact(id, "two", "bin", Some("/2"))];
        assert_eq!(paths(&named, &["jobs"]).unwrap(), ["jobs 0.1.0 /jobs"]);
    }

    #[test]
    fn a_message_of_another_shape_is_an_error_and_no_panic() {
        for line in [r#"{"reason":"compiler-artifact"}"#, "{", r#"{"no":"reason"}"#] {
            assert!(matches!(paths(&[line.to_owned()], &["x"]), Err(Unclear::Message(_))), "{line}");
        }
        let odd = [artifact("no fragment", "x", "bin", Some("/x"))];
        assert!(matches!(paths(&odd, &["x"]), Err(Unclear::Message(_))));
    }
}
