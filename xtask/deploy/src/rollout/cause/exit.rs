//! Why a container ended by itself.

use super::{Cause, Evidence, Exit, Known, exits, short};

pub(super) const CAUSES: &[Known] = &[
    ("out-of-memory", out_of_memory),
    ("exec-format", exec_format),
    ("readonly-root", readonly_root),
    // SIGSEGV.
    ("segfault", |evidence| {
        let Exit { what, .. } = exits(evidence).find(|exit| exit.code == 139)?;
        Some(Cause::open(
            format!("{what} crashed with a segmentation fault"),
            "a native library is broken or of another platform than the image",
        ))
    }),
    // SIGKILL without lack of memory: it did not stop within `stopTimeout`.
    ("killed", |evidence| {
        let Exit { what, .. } =
            exits(evidence).find(|exit| exit.code == 137 && !exit.reason.contains("OutOfMemory"))?;
        Some(Cause::open(
            format!("{what} was killed: it did not stop in time, or something on its host ended it"),
            "let the program end on SIGTERM, or raise `stop-timeout-secs`",
        ))
    }),
    ("dependency-unreachable", dependency_unreachable),
    ("exits-at-start", exits_at_start),
];

/// A container was killed for its memory: exit code 137 with reason `OutOfMemoryError`.
///
/// Plain once two tasks were and no target of the deployment was ever healthy: then the program does not fit. One that ran
/// and filled up later may be a leak, and another task may live long enough.
fn out_of_memory(evidence: &Evidence) -> Option<Cause> {
    let killed = || exits(evidence).filter(|exit| exit.reason.contains("OutOfMemory"));
    let Exit { what, .. } = killed().next()?;
    let text = format!("{what} was killed for using more memory than the task has");
    let remedy = "raise `memory-mib`, or find the leak";
    Some(Cause::open(text, remedy).plain_if(killed().count() >= 2 && !evidence.ever_healthy))
}

/// The program is for another processor. The kernel's `exec format error` comes in the log or, where the container was not
/// even created, in a reason.
fn exec_format(evidence: &Evidence) -> Option<Cause> {
    let says = |text: &str| text.to_ascii_lowercase().contains("exec format error");
    let logged = evidence.log_tail.iter().any(|line| says(line));
    let task = evidence.stopped.iter().find(|task| {
        let ended = task.containers.iter().any(|container| container.exit_code.is_some_and(|code| code != 0));
        let reasons = task.containers.iter().filter_map(|container| container.reason.as_deref());
        (logged && ended) || reasons.chain(task.stopped_reason.as_deref()).any(says)
    })?;
    Some(Cause::plain(
        format!("the image of task {} holds a program for another processor", short(&task.id)),
        "build the image for the `architecture` that deploy.toml names, or change `architecture`",
    ))
}

/// A container writes to its root file system, which is read-only: EROFS in the log.
fn readonly_root(evidence: &Evidence) -> Option<Cause> {
    let exit = exits(evidence).next()?;
    let refused = |line: &&String| {
        line.to_ascii_lowercase().contains("read-only file system") || line.contains("EROFS")
    };
    let line = evidence.log_tail.iter().find(refused)?.trim();
    let text = format!(
        "{} exited with code {}: its root file system is read-only; it said: {line}",
        exit.what, exit.code
    );
    let remedy = if line.contains("/tmp") {
        "set `tmp = true` for the container in deploy.toml: /tmp is then writable, and the rest stays read-only"
    } else {
        "set `readonly-root = false` for the container in deploy.toml, or let the application write below /tmp \
         and set `tmp = true`"
    };
    Some(Cause::open(text, remedy).plain_if(is_plain(evidence)))
}

/// How the usual runtimes and drivers say it, in lower case.
const SAYS: [&str; 12] = [
    "connection refused",
    "econnrefused",
    "connection timed out",
    "connect timed out",
    "etimedout",
    "could not connect to",
    "no route to host",
    "unknownhostexception",
    "enotfound",
    "could not translate host name",
    "name or service not known",
    "failed to lookup address",
];

/// A container exits because something that it needs, such as a database, is not reached.
///
/// Runtimes print a chain of errors, and the last one often says only that the start failed: the first one that is about a
/// connection is shown, with the address in it or nearest before it.
fn dependency_unreachable(evidence: &Evidence) -> Option<Cause> {
    let exit = exits(evidence).next()?;
    let lines = &evidence.log_tail;
    let says = |line: &String| {
        let line = line.to_ascii_lowercase();
        SAYS.iter().any(|words| line.contains(words))
    };
    let first = lines.iter().position(says)?;
    let address = lines[..=first].iter().rev().chain(&lines[first..]).find_map(|line| address(line));
    let what = address.unwrap_or("something that it needs");
    let text = format!(
        "{} exited with code {}: it cannot reach {what}; it said: {}",
        exit.what,
        exit.code,
        lines[first].trim()
    );
    let remedy = format!(
        "check that {what} is up, that its security group lets the tasks' security group in, and the address in \
         `environment` or `secrets`"
    );
    Some(Cause::open(text, remedy).plain_if(is_plain(evidence)))
}

/// `host:port` in a line, also inside of a URL or a path of a source: there the "port" is followed by another number.
fn address(line: &str) -> Option<&str> {
    let words = line.split(|letter: char| letter.is_whitespace() || "\"'`()[]{}<>,;=|/@".contains(letter));
    words.map(|word| word.trim_end_matches(['.', ':'])).find(|word| {
        let Some((host, port)) = word.rsplit_once(':') else { return false };
        let is_port = (2..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
        let is_host = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
            && (host.bytes().any(|byte| byte.is_ascii_alphabetic()) || host.split('.').count() == 4);
        let is_source =
            [".rs", ".js", ".ts", ".py", ".java", ".go", ".rb"].iter().any(|end| host.ends_with(end));
        is_port && is_host && !is_source && !host.is_empty()
    })
}

/// A task that ran longer than this did start; one that never came to RUNNING has no time at all.
const START_MS: u64 = 60_000;

/// A container exits by itself soon after its start, with its last words in the log.
///
/// Plain once two tasks did so and no target of the deployment was ever healthy: one exit may be an accident.
fn exits_at_start(evidence: &Evidence) -> Option<Cause> {
    let first = exits(evidence).next()?;
    let said = significant(&evidence.log_tail).map(|line| format!("; it said: {line}")).unwrap_or_default();
    let text = format!("{} exited with code {}{said}", first.what, first.code);
    let remedy = "the log lines say why; fix that and deploy again";
    Some(Cause::open(text, remedy).plain_if(is_plain(evidence)))
}

/// Two tasks exited soon after their start, and none was ever healthy.
fn is_plain(evidence: &Evidence) -> bool {
    let early = exits(evidence).filter(|exit| exit.ran_ms.is_none_or(|ran| ran < START_MS)).count();
    early >= 2 && !evidence.ever_healthy
}

/// The last line that is a statement: not the frame of a stack, which is indented, nor what a runtime puts below one.
fn significant(lines: &[String]) -> Option<&str> {
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
    fn an_address_is_found_and_neither_a_time_nor_a_place_in_a_source() {
        let cases = [
            ("dial tcp 10.0.3.7:5432: connect: connection refused", Some("10.0.3.7:5432")),
            ("Connection to db.internal:5432 refused. Check that", Some("db.internal:5432")),
            ("url=jdbc:postgresql://db.internal:5432/app", Some("db.internal:5432")),
            ("redis://user:***@cache:6379/0", Some("cache:6379")),
            ("12:30:45 ERROR start failed", None),
            ("thread 'main' panicked at src/main.rs:40:5:", None),
            ("    at main.js:120", None),
        ];
        for (line, expected) in cases {
            assert_eq!(address(line), expected, "{line}");
        }
    }

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
            assert_eq!(significant(&lines), Some(expected), "{log}");
        }
        assert_eq!(significant(&[]), None);
    }
}
