//! Why a container ended by itself.

use super::chain::chain;
use super::{Cause, Evidence, Exit, Known, exits, first_error};
use crate::model::short_id;

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
        format!("the image of task {} holds a program for another processor", short_id(&task.id)),
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
const SAYS: [&str; 29] = [
    "connection refused",
    "connect: refused",
    "econnrefused",
    "connection timed out",
    "connect timed out",
    "connection timeout",
    "i/o timeout",
    "etimedout",
    "could not connect to",
    "can't connect to",
    "cannot connect to",
    "failed to connect to",
    "unable to connect to",
    "could not open a connection",
    "no route to host",
    "network is unreachable",
    "ehostunreach",
    "enetunreach",
    "communications link failure",
    "unknownhostexception",
    "unknown host",
    "no such host",
    // Not the word alone: it also ends "ModuleNotFoundError" and "FileNotFoundException".
    "getaddrinfo enotfound",
    "eai_again",
    "could not translate host name",
    "name or service not known",
    "nodename nor servname provided",
    "temporary failure in name resolution",
    "failed to lookup address",
];

/// What the last statement of a program says that tried for a while: the attempts before it are warnings.
const GIVES_UP: [&str; 6] = ["giving up", "gave up", "attempt", "retr", "connect", "unavailable"];

/// A container exits because something that it needs, such as a database, is not reached.
///
/// The first error of the chain that is about a connection is shown, with the address in it or nearest before it. What was not
/// reached earlier, and did not end the program, is no cause.
fn dependency_unreachable(evidence: &Evidence) -> Option<Cause> {
    let exit = exits(evidence).next()?;
    let lines = &evidence.log_tail;
    let holds = |text: &str, parts: &[&str]| {
        let text = text.to_ascii_lowercase();
        parts.iter().any(|part| text.contains(part))
    };
    let errors = chain(lines);
    let tried = errors.last().is_some_and(|last| holds(&last.text, &GIVES_UP));
    let first = errors
        .iter()
        .find(|said| holds(&said.text, &SAYS))
        .map(|said| said.at)
        .or_else(|| lines.iter().position(|line| holds(line, &SAYS)).filter(|_| tried))?;
    let address = lines[..=first].iter().rev().chain(&lines[first..]).find_map(|line| address(line));
    let what = address.unwrap_or("something that it needs");
    let text = format!(
        "{} exited with code {}: it cannot reach {what}; it said: {}",
        exit.what,
        exit.code,
        lines[first].trim()
    );
    Some(Cause::open(text, reach(evidence, what)).plain_if(is_plain(evidence)))
}

/// What to do about an address that is not reached.
fn reach(evidence: &Evidence, what: &str) -> String {
    let (host, port) = what.rsplit_once(':').unwrap_or((what, ""));
    if host == "localhost" || host == "0.0.0.0" || host.starts_with("127.") {
        let here = if evidence.embedded {
            format!(
                "; tasks that run as processes have other ports here: read the variable `PORT_{port}`, or set \
                 `workload = \"containers\"` under `[env.local]`"
            )
        } else {
            String::new()
        };
        return format!(
            "{host} is the task itself: what listens there must be a container of the same task that starts first \
             (`depends-on`); another service has its Service Connect alias{here}"
        );
    }
    let way = if evidence.embedded {
        "this machine reaches it"
    } else {
        "its security group lets the tasks' security group in"
    };
    format!("check that {what} is up, that {way}, and the address in `environment` or `secrets`")
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

/// A container exits by itself soon after its start, and its log says why.
///
/// Plain once two tasks did so and no target of the deployment was ever healthy: one exit may be an accident.
fn exits_at_start(evidence: &Evidence) -> Option<Cause> {
    let first = exits(evidence).next()?;
    let said =
        first_error(&evidence.log_tail).map(|it| format!("; it said: {}", it.text)).unwrap_or_default();
    let text = format!("{} exited with code {}{said}", first.what, first.code);
    let remedy = match first.code {
        0 => {
            "a service's program has to run on: keep it in the foreground; one that ends belongs into `before-roll` or \
             `cargo xtask run`"
        }
        _ => "the log lines say why; fix that and deploy again",
    };
    Some(Cause::open(text, remedy).plain_if(is_plain(evidence)))
}

/// Two tasks exited soon after their start, and none was ever healthy.
fn is_plain(evidence: &Evidence) -> bool {
    let early = exits(evidence).filter(|exit| exit.ran_ms.is_none_or(|ran| ran < START_MS)).count();
    early >= 2 && !evidence.ever_healthy
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
}
