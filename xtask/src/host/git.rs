//! What git knows of the work tree.

use std::path::Path;

use super::{ProcessError, Shell};

/// The commit that is checked out, and whether the files are the commit's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Git {
    /// The commit's full hash; `None` outside a checkout or before the first commit.
    pub commit: Option<String>,
    /// Whether files differ from the commit, untracked ones included.
    pub dirty: bool,
    /// The branch; `None` when none is checked out.
    pub branch: Option<String>,
    /// Why nothing is known, when nothing is.
    pub unknown: Option<String>,
}

impl Git {
    /// Asks git about the work tree at `dir`. Blocks the thread for some milliseconds.
    ///
    /// Where git is missing or refuses, a deploy can go on: the release then carries no commit.
    #[must_use]
    pub fn facts(shell: &Shell, dir: &Path) -> Self {
        Self::ask(shell, dir)
            .unwrap_or_else(|error| Self { unknown: Some(error.to_string()), ..Self::default() })
    }

    /// Porcelain v2 tells commit, branch and changes in one call. Without optional locks: a status that also refreshes
    /// the index, and is killed with the tool, leaves `.git/index.lock` in the way of the user's next command.
    fn ask(shell: &Shell, dir: &Path) -> Result<Self, ProcessError> {
        let args = ["--no-optional-locks", "status", "--porcelain=v2", "--branch"];
        shell.read_in(dir, "git", &args).map(|text| Self::read(&text))
    }

    fn read(status: &str) -> Self {
        let header = |name: &str| {
            let value =
                status.lines().find_map(|line| line.strip_prefix("# branch.")?.strip_prefix(name))?.trim();
            (!value.starts_with('(')).then(|| value.to_owned())
        };
        Self {
            commit: header("oid "),
            dirty: status.lines().any(|line| !line.starts_with('#')),
            branch: header("head "),
            unknown: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Env;

    #[test]
    fn a_clean_and_a_changed_work_tree_are_told_apart() {
        let clean =
            "# branch.oid 3f2a9c1\n# branch.head main\n# branch.upstream origin/main\n# branch.ab +1 -0";
        let expected =
            Git { commit: Some("3f2a9c1".into()), dirty: false, branch: Some("main".into()), unknown: None };
        assert_eq!(Git::read(clean), expected);
        assert!(Git::read(&format!("{clean}\n? new.rs")).dirty);
        assert!(Git::read(&format!("{clean}\n1 .M N... 100644 100644 100644 a a src/lib.rs")).dirty);
    }

    #[test]
    fn a_detached_head_and_a_repository_without_a_commit_are_no_names() {
        assert_eq!(Git::read("# branch.oid abc\n# branch.head (detached)").branch, None);
        assert_eq!(Git::read("# branch.oid (initial)\n# branch.head main").commit, None);
    }

    #[test]
    fn outside_of_a_checkout_the_reason_is_kept() {
        let git = Git::facts(&Shell::system(&Env::system()), Path::new("/"));
        assert_eq!(git.commit, None);
        assert!(git.unknown.is_some_and(|reason| !reason.is_empty()));
    }
}
