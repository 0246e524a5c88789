//! Where the workspace is.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Env, ProcessError, Shell};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// The folder with the workspace's `Cargo.toml`.
    pub root: PathBuf,
}

/// A package of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Package {
    pub name: String,
    /// The absolute path of its `Cargo.toml`.
    pub manifest_path: PathBuf,
}

/// The root was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither {} nor a folder above it is a Cargo workspace: run this inside the repository", .from.display())]
pub struct WorkspaceError {
    pub from: PathBuf,
}

impl Workspace {
    /// Finds the root upwards from this package (as `cargo run` names it at run time) or from the current folder.
    ///
    /// The place where the tool was compiled is not asked: the checkout may have moved since.
    ///
    /// # Errors
    /// [`WorkspaceError`] when there is none.
    pub fn find(env: &Env) -> Result<Self, WorkspaceError> {
        let from = match env.get("CARGO_MANIFEST_DIR") {
            Some(dir) => PathBuf::from(dir),
            None => std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
        };
        Self::above(&from)
    }

    /// Finds the root upwards from a folder.
    ///
    /// # Errors
    /// [`WorkspaceError`] when there is none.
    pub fn above(from: &Path) -> Result<Self, WorkspaceError> {
        from.ancestors()
            .find(|dir| is_root(&dir.join("Cargo.toml")))
            .map(|dir| Self { root: dir.to_owned() })
            .ok_or_else(|| WorkspaceError { from: from.to_owned() })
    }

    /// The workspace's packages, as `cargo metadata` lists them.
    ///
    /// # Errors
    /// When Cargo cannot read the workspace.
    pub fn packages(&self, shell: &Shell) -> Result<Vec<Package>, ProcessError> {
        #[derive(Deserialize)]
        struct Metadata {
            packages: Vec<Package>,
        }
        // Without dependencies Cargo asks no network and no lock file.
        let args = ["metadata", "--no-deps", "--format-version", "1"];
        let printed = shell.read_in(&self.root, "cargo", &args)?;
        let read = |error: serde_json::Error| ProcessError::Failed {
            command: format!("cargo {}", args.join(" ")),
            message: error.to_string(),
        };
        Ok(serde_json::from_str::<Metadata>(&printed).map_err(read)?.packages)
    }
}

fn is_root(manifest: &Path) -> bool {
    std::fs::read_to_string(manifest)
        .is_ok_and(|text| text.lines().any(|line| line.trim_end() == "[workspace]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_a_package_inside_it() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = Workspace::above(&package.join("src/host")).unwrap();
        assert_eq!(found.root, package.parent().unwrap());
        let env = Env::of([("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR"))]);
        assert_eq!(Workspace::find(&env).unwrap(), found);
    }

    #[test]
    fn the_packages_are_those_of_the_workspace() {
        let workspace = Workspace::above(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let packages = workspace.packages(&Shell::system(&Env::of([]))).unwrap();
        let own = packages.iter().find(|package| package.name == "xtask").unwrap();
        assert_eq!(own.manifest_path, workspace.root.join("xtask/Cargo.toml"));
    }

    #[test]
    fn outside_of_a_checkout_the_reason_is_reported() {
        let error = Workspace::above(Path::new("/")).unwrap_err();
        assert!(error.to_string().contains("run this inside the repository"), "{error}");
    }
}
