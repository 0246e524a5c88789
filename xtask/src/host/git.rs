//! What git knows of the work tree.

use std::path::Path;

use super::{ProcessError, Shell};

/// The commit that is checked out, and whether the files are the commit's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Git {
    /// The commit's full hash; `None` outside a checkout or before the first commit.
    pub commit: Option<String>,
    /// When the commit was made, in seconds since the Unix epoch.
    pub committed: Option<u64>,
    /// Whether files differ from the commit, untracked ones included.
    pub dirty: bool,
    /// The branch; `None` when none is checked out.
    pub branch: Option<String>,
    /// Why there is no commit, and what to do about it.
    pub unknown: Option<String>,
}

impl Git {
    /// Asks git about the work tree at `dir`. Blocks the thread for some milliseconds.
    ///
    /// Where git is missing or refuses, a deploy can continue: the release then has no commit.
    pub fn facts(shell: &Shell, dir: &Path) -> Self {
        Self::ask(shell, dir)
            .unwrap_or_else(|error| Self { unknown: Some(refusal(&error)), ..Self::default() })
    }

    /// Porcelain v2 prints commit, branch and changes in one call. Without optional locks: a status that also refreshes
    /// the index, and is killed with the tool, leaves `.git/index.lock` in the way of the user's next command.
    fn ask(shell: &Shell, dir: &Path) -> Result<Self, ProcessError> {
        let args = ["--no-optional-locks", "status", "--porcelain=v2", "--branch"];
        let mut git = shell.read_in(dir, "git", &args).map(|text| Self::read(&text))?;
        if git.commit.is_none() {
            git.unknown = Some("the repository has no commit yet; help: commit what you deploy".to_owned());
        }
        if let Some(commit) = &git.commit {
            let seconds = shell.read_in(dir, "git", &["show", "--no-patch", "--format=%ct", commit]).ok();
            git.committed = seconds.and_then(|seconds| seconds.parse().ok());
        }
        Ok(git)
    }

    /// The best common ancestor of two commits; `None` when there is none, or one of them is not in this clone.
    pub fn merge_base(shell: &Shell, dir: &Path, one: &str, other: &str) -> Option<String> {
        shell.read_in(dir, "git", &["merge-base", one, other]).ok().filter(|base| !base.is_empty())
    }

    fn read(status: &str) -> Self {
        let header = |name: &str| {
            let value =
                status.lines().find_map(|line| line.strip_prefix("# branch.")?.strip_prefix(name))?.trim();
            (!value.starts_with('(')).then(|| value.to_owned())
        };
        Self {
            commit: header("oid "),
            committed: None,
            dirty: status.lines().any(|line| !line.starts_with('#')),
            branch: header("head "),
            unknown: None,
        }
    }
}

/// Why git does not answer, and what to do about it.
fn refusal(error: &ProcessError) -> String {
    match error {
        ProcessError::Missing(_) => format!("{error}; help: install git"),
        // "Dubious ownership", as in a container job: git ends with the command that helps, in any language.
        ProcessError::Failed { message, .. } if message.contains("safe.directory") => {
            format!("the checkout belongs to another user; help: run `{}`", message.trim())
        }
        ProcessError::Failed { message, .. } => {
            let message = message.strip_prefix("fatal: ").unwrap_or(message);
            format!("{message}; help: deploy from a git checkout")
        }
        ProcessError::Io { .. } => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Env;

    #[test]
    fn a_clean_and_a_changed_work_tree_are_distinguished() {
        let clean =
            "# branch.oid 3f2a9c1\n# branch.head main\n# branch.upstream origin/main\n# branch.ab +1 -0";
        let expected = Git { commit: Some("3f2a9c1".into()), branch: Some("main".into()), ..Git::default() };
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
    fn an_older_commit_is_distinguished_from_a_newer_one_and_from_one_that_this_clone_lacks() {
        let shell = Shell::system(&Env::system());
        let folder = std::env::temp_dir().join(format!("xtask-git-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let git = |args: &[&str]| shell.read_in(&folder, "git", args).unwrap();
        git(&["init", "--quiet"]);
        let empty = Git::facts(&shell, &folder).unknown;
        assert!(empty.is_some_and(|reason| reason.starts_with("the repository has no commit yet")));
        let commit = |message| {
            let who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];
            let what =
                ["-c", "commit.gpgsign=false", "commit", "--quiet", "--allow-empty", "--message", message];
            git(&[&who[..], &what[..]].concat());
            git(&["rev-parse", "HEAD"])
        };
        let (old, new) = (commit("old"), commit("new"));
        let facts = Git::facts(&shell, &folder);
        assert_eq!((facts.commit.as_ref(), &facts.unknown), (Some(&new), &None));
        assert!(facts.committed.is_some_and(|seconds| seconds > 1_700_000_000));
        let base = |other: &str| Git::merge_base(&shell, &folder, &old, other);
        assert_eq!(base(&new), Some(old.clone()));
        assert_eq!(base(&"0".repeat(40)), None);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn outside_of_a_checkout_the_reason_is_kept() {
        let git = Git::facts(&Shell::system(&Env::system()), Path::new("/"));
        assert_eq!(git.commit, None);
        let reason = git.unknown.unwrap();
        assert!(reason.starts_with("not a git repository") && reason.contains("help: "), "{reason}");
    }

    #[test]
    fn each_refusal_comes_with_what_helps() {
        let failed = |message: &str| ProcessError::Failed {
            command: "git status".to_owned(),
            message: message.to_owned(),
        };
        let dubious = refusal(&failed("\tgit config --global --add safe.directory /src"));
        let expected =
            "the checkout belongs to another user; help: run `git config --global --add safe.directory /src`";
        assert_eq!(dubious, expected);
        let missing = refusal(&ProcessError::Missing("git".to_owned()));
        assert_eq!(missing, "git is not installed, or not on PATH; help: install git");
    }
}
