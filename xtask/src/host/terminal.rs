//! What the tool talks to: a person at a terminal, a log file, a CI job.

use std::io::IsTerminal;

use super::Env;

/// Facts about the three standard streams and who reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Standard input is a terminal: a question can be asked.
    pub stdin: bool,
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal.
    pub stderr: bool,
    /// A CI system runs the tool (`CI` is set).
    pub ci: bool,
    /// GitHub Actions runs the tool (`GITHUB_ACTIONS` is `true`).
    pub github: bool,
}

impl Terminal {
    /// The process's own streams.
    #[must_use]
    pub fn system(env: &Env) -> Self {
        Self {
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
            ci: env.flag("CI"),
            github: env.flag("GITHUB_ACTIONS"),
        }
    }

    /// Nobody is there.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether a question would be seen and can be answered. Some CI systems give their jobs a terminal, so a
    /// terminal alone does not mean that a person is there.
    #[must_use]
    pub fn can_ask(self) -> bool {
        self.stdin && self.stderr && !self.ci
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ci_job_with_a_pseudo_terminal_is_never_asked() {
        let person = Terminal { stdin: true, stdout: true, stderr: true, ci: false, github: false };
        assert!(person.can_ask());
        assert!(!Terminal { ci: true, ..person }.can_ask());
        assert!(!Terminal { stdin: false, ..person }.can_ask());
    }
}
