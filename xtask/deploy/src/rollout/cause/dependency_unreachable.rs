//! A container exits because something that it needs, such as a database, is not reached.
//!
//! Runtimes print a chain of errors, and the last one often says only that the start failed: the first one that is about a
//! connection is shown, with the address in it or nearest before it.

use super::exits_at_start::is_plain;
use super::{Cause, Evidence, exits};

pub(super) const CODE: &str = "dependency-unreachable";

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

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
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
    Some(Cause { plain: is_plain(evidence), ..Cause::open(CODE, text, &remedy) })
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
