//! A container exits by itself soon after its start, with its last words in the log.
//!
//! Plain once two tasks did so and no target of the deployment was ever healthy: one exit may be an accident.

use super::{Cause, Evidence, exits};

pub(super) const CODE: &str = "exits-at-start";

/// A task that ran longer than this did start; one that never came to RUNNING has no time at all.
const START_MS: u64 = 60_000;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let first = exits(evidence).next()?;
    let said = telling(&evidence.log_tail).map(|line| format!("; it said: {line}")).unwrap_or_default();
    let text = format!("{} exited with code {}{said}", first.what, first.code);
    let remedy = "the log lines say why; fix that and deploy again";
    Some(Cause { plain: is_plain(evidence), ..Cause::open(CODE, text, remedy) })
}

/// Two tasks exited soon after their start, and none was ever healthy.
pub(super) fn is_plain(evidence: &Evidence) -> bool {
    let early = exits(evidence).filter(|exit| exit.ran_ms.is_none_or(|ran| ran < START_MS)).count();
    early >= 2 && !evidence.ever_healthy
}

/// The last line that is a statement: not the frame of a stack, which is indented, nor what a runtime puts below one.
fn telling(lines: &[String]) -> Option<&str> {
    const BELOW: [&str; 2] = ["Node.js v", "note: run with `RUST_BACKTRACE"];
    let states = |line: &&str| {
        !line.starts_with(char::is_whitespace)
            && line.contains(char::is_alphanumeric)
            && !BELOW.iter().any(|below| line.starts_with(below))
    };
    let lines = || lines.iter().map(String::as_str).rev().filter(|line| !line.is_empty());
    lines().find(states).or_else(|| lines().next()).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_of_frames_does_not_hide_what_it_is_the_stack_of() {
        let cases = [
            ("starting\nno DATABASE_URL", "no DATABASE_URL"),
            ("warning: Error: no cache, going on without\nno DATABASE_URL", "no DATABASE_URL"),
            (
                "thread 'main' panicked at src/main.rs:40:5:\nno DATABASE_URL\nnote: run with `RUST_BACKTRACE=1` environment \
                 variable to display a backtrace",
                "no DATABASE_URL",
            ),
            (
                "Error: refused\n    at TCP (node:net) {\n  errno: -111\n}\n\nNode.js v20.20.2",
                "Error: refused",
            ),
            (
                "Exception in thread \"main\" java.lang.NullPointerException: url\n\tat Main.main(Main.java:4)",
                "Exception in thread \"main\" java.lang.NullPointerException: url",
            ),
            (
                "/app/server.js:1\nthrow new Error(\"no url\")\n^\n\nError: no url\n    at Object (node:1:2)\n\nNode.js v20.20.2",
                "Error: no url",
            ),
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no url",
                "ValueError: no url",
            ),
            ("  indented only\n", "indented only"),
        ];
        for (log, expected) in cases {
            let lines: Vec<String> = log.lines().map(str::to_owned).collect();
            assert_eq!(telling(&lines), Some(expected), "{log}");
        }
        assert_eq!(telling(&[]), None);
    }
}
