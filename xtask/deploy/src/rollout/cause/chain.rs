//! The error that a log ends with: runtimes print a chain of errors with frames between them, and the last line often says
//! only that the start failed.

use crate::logs::{Level, structured};

/// An error of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The number of its line.
    pub at: usize,
    pub text: String,
}

/// Parts of lines, in lower case, that are about an error.
const ERROR: [&str; 22] = [
    "error",
    "exception",
    "fatal",
    "panic",
    "fail",
    "critical",
    "cannot",
    "can't",
    "could not",
    "couldn't",
    "unable to",
    "refused",
    "denied",
    "invalid",
    "missing",
    "not found",
    "no such",
    "caused by",
    "unhandled",
    "uncaught",
    "required",
    "segmentation",
];
/// What a program prints between its error and its end.
const FAREWELL: [&str; 11] = [
    "shutting down",
    "shutdown",
    "stopping",
    "stopped",
    "closing",
    "closed",
    "exiting",
    "exited with",
    "exit status",
    "disconnect",
    "terminating",
];
/// Errors that say only that there was one.
const EMPTY: [&str; 7] = [
    "application run failed",
    "application failed to start",
    "startup failed",
    "start failed",
    "failed to start",
    "exception in worker process",
    "an error occurred",
];
/// What runtimes put below a stack.
const BELOW: [&str; 2] = ["Node.js v", "note: run with `RUST_BACKTRACE"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Part of a stack, or without a word.
    Frame,
    Farewell,
    Error,
    /// A cause that is written on the lines below `Caused by:`, and means little without the error before it.
    Listed,
    Other,
}

#[derive(Debug)]
struct Piece {
    at: usize,
    text: String,
    kind: Kind,
}

/// The errors that a log ends with, oldest first: the chain that its last statement belongs to.
pub(super) fn chain(lines: &[String]) -> Vec<Said> {
    errors(&pieces(lines)).into_iter().map(|piece| Said { at: piece.at, text: piece.text.clone() }).collect()
}

/// The error that explains how a log ends: the innermost cause where there is one, and otherwise the first of the chain that
/// says something. `None` for a log without a word.
pub fn first_error(lines: &[String]) -> Option<Said> {
    let pieces = pieces(lines);
    let errors = errors(&pieces);
    let says = |piece: &&&Piece| {
        let text = piece.text.to_ascii_lowercase();
        !EMPTY.iter().any(|empty| text.ends_with(empty))
    };
    let first = errors.iter().find(says).or(errors.first());
    let cause = errors.iter().rev().find(|it| it.kind == Kind::Listed || it.text.starts_with("Caused by:"));
    let found = match (first, cause) {
        (Some(first), Some(cause)) if cause.kind == Kind::Listed && first.at < cause.at => {
            return Some(Said { at: first.at, text: format!("{}; {}", first.text, cause.text) });
        }
        (first, cause) => cause.or(first)?,
    };
    Some(Said { at: found.at, text: found.text.clone() })
}

/// The last statement and the errors before it, as far as nothing but frames and farewells is between them.
fn errors(pieces: &[Piece]) -> Vec<&Piece> {
    let found = |fits: fn(&Piece) -> bool| pieces.iter().rposition(fits);
    let last = found(|it| !matches!(it.kind, Kind::Frame | Kind::Farewell))
        .or_else(|| found(|it| it.kind == Kind::Farewell))
        .or_else(|| found(|it| !it.text.is_empty()));
    let Some(last) = last else { return Vec::new() };
    let before = pieces[..last].iter().rev().take_while(|it| it.kind != Kind::Other);
    let mut errors: Vec<&Piece> = before.filter(|it| matches!(it.kind, Kind::Error | Kind::Listed)).collect();
    errors.reverse();
    errors.push(&pieces[last]);
    errors
}

fn pieces(lines: &[String]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    // The header whose text is on the indented lines below it.
    let mut header: Option<usize> = None;
    for (at, line) in lines.iter().enumerate() {
        if let Some(read) = structured(line) {
            header = None;
            for (index, text) in read.text.lines().enumerate() {
                let kind = match kind(text, None) {
                    Kind::Other if index == 0 && read.level == Level::Error => Kind::Error,
                    kind => kind,
                };
                pieces.push(Piece { at, text: text.trim().to_owned(), kind });
            }
            continue;
        }
        let text = line.trim();
        if let Some(index) = header {
            if line.starts_with(char::is_whitespace) && !text.is_empty() {
                let item = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(": ");
                let head = &mut pieces[index].text;
                head.push_str(if head.ends_with(':') { " " } else { ": " });
                head.push_str(item);
                continue;
            }
            header = None;
        }
        let kind = match text {
            "Error:" => Kind::Error,
            "Caused by:" => Kind::Listed,
            _ => kind(line, lines.get(at + 1)),
        };
        if matches!(text, "Error:" | "Caused by:") {
            header = Some(pieces.len());
        }
        pieces.push(Piece { at, text: text.to_owned(), kind });
    }
    pieces
}

fn kind(line: &str, next: Option<&String>) -> Kind {
    let lower = line.to_ascii_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    // In this order: a frame, a warning or a line of a lower level may have the word `error` in it, and ended nothing.
    if is_frame(line, next.map_or("", |next| next)) {
        Kind::Frame
    } else if lower.contains("warn") {
        Kind::Other
    } else if has(&FAREWELL) && !lower.contains("error") {
        Kind::Farewell
    } else if line
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| ["INFO", "DEBUG", "TRACE"].contains(&word))
    {
        Kind::Other
    } else if has(&ERROR) {
        Kind::Error
    } else {
        Kind::Other
    }
}

/// Whether a line is part of a stack: indented, the head of one, or a quotation of the source.
fn is_frame(line: &str, next: &str) -> bool {
    // Go prints a function, and its place on the line below.
    let function = next.starts_with('\t') && next.contains(".go:");
    // `^` and `~` below a line of source.
    let quoted = !next.trim().is_empty() && next.trim().chars().all(|c| "^~ ".contains(c));
    line.starts_with(char::is_whitespace)
        || !line.contains(char::is_alphanumeric)
        || line.trim_end().ends_with(':')
        || line.starts_with('#')
        || is_register(line)
        || BELOW.iter().any(|below| line.starts_with(below))
        || function
        || quoted
}

/// A register of the processor, which Go prints one a line below the stacks: `rip    0x47a1`, `PC=0x47a1 m=0`.
fn is_register(line: &str) -> bool {
    let number =
        |word: &str| word.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|c| c.is_ascii_hexdigit()));
    match line.split_whitespace().collect::<Vec<_>>()[..] {
        [_, value] => number(value),
        _ => line.strip_prefix("PC=").and_then(|rest| rest.split(' ').next()).is_some_and(number),
    }
}

/// What is shown of a log that has room for `most` lines: the error that it ends with and its last lines, of each stack the
/// first frame.
pub fn excerpt(lines: &[String], most: usize) -> Vec<String> {
    let first = first_error(lines).map(|said| said.at);
    let mut shown: Vec<(usize, String)> = Vec::new();
    let mut frames = 0;
    for (at, line) in lines.iter().enumerate() {
        let is_frame = line.starts_with(char::is_whitespace) && first != Some(at);
        frames = if is_frame { frames + 1 } else { 0 };
        match frames {
            // The second is as short as a line about it.
            0..=2 => shown.push((at, line.clone())),
            _ => {
                if let Some(last) = shown.last_mut() {
                    *last = (at, format!("    … {} more lines", frames - 1));
                }
            }
        }
    }
    let from = shown.len().saturating_sub(most);
    let cut = shown[..from].iter().find(|(at, _)| first == Some(*at)).map(|(_, line)| line.clone());
    let Some(error) = cut else { return shown.split_off(from).into_iter().map(|(_, line)| line).collect() };
    let rest = shown.split_off((from + 2).min(shown.len())).into_iter().map(|(_, line)| line);
    [error, "…".to_owned()].into_iter().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(log: &str) -> Vec<String> {
        log.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_registers_below_go_s_stacks_are_not_what_a_program_said() {
        let log = "SIGSEGV: segmentation violation\nPC=0x47a1c3 m=0 sigcode=0\n\ngoroutine 1 [running]:\nmain.main()\n\
                   \t/src/main.go:7 +0x1d\n\nrax    0x0\nrip    0x47a1c3\ngs     0x0";
        assert_eq!(first_error(&lines(log)).unwrap().text, "SIGSEGV: segmentation violation");
    }

    #[test]
    fn the_error_is_found_behind_frames_farewells_and_lines_that_say_only_that_it_failed() {
        let frames = "\tat org.example.Frame(Frame.java:1)\n".repeat(80);
        let java = format!(
            "starting\nERROR Liquibase - table users is missing\nBeanCreationException: Error creating bean\n{frames}\
             Shutting down\nApplication run failed"
        );
        let spring = format!(
            "INFO Stopping service [Tomcat]\nERROR SpringApplication : Application run failed\n\n\
             BeanCreationException: Error creating bean\n{frames}Caused by: HibernateException: no dialect\n{frames}\t... 80 more"
        );
        let cases = [
            ("starting\nno DATABASE_URL", "no DATABASE_URL"),
            ("warning: Error: no cache, going on without\nno DATABASE_URL", "no DATABASE_URL"),
            ("ERROR metrics are not sent\nlistening on 8080\nno DATABASE_URL", "no DATABASE_URL"),
            (java.as_str(), "ERROR Liquibase - table users is missing"),
            (spring.as_str(), "Caused by: HibernateException: no dialect"),
            (
                "thread 'main' panicked at src/main.rs:40:5:\nno DATABASE_URL\nnote: run with `RUST_BACKTRACE=1` environment \
                 variable to display a backtrace",
                "no DATABASE_URL",
            ),
            (
                "Error: cannot start\n\nCaused by:\n    0: cannot read /etc/app.toml\n    1: No such file (os error 2)",
                "Error: cannot start; Caused by: cannot read /etc/app.toml: No such file (os error 2)",
            ),
            (
                "Error:\n   0: cannot read config\n   1: No such file\n\nLocation:\n   src/main.rs:5",
                "Error: cannot read config: No such file",
            ),
            (
                "Error: refused\n    at TCP (node:net) {\n  errno: -111\n}\n\nNode.js v20.20.2",
                "Error: refused",
            ),
            (
                "/app/server.js:1\nthrow new Error(\"no url\")\n^\n\nError: no url\n    at Object (node:1:2)\n\nNode.js v20.20.2",
                "Error: no url",
            ),
            (
                "Exception in thread \"main\" java.lang.NullPointerException: url\n\tat Main.main(Main.java:4)",
                "Exception in thread \"main\" java.lang.NullPointerException: url",
            ),
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no url",
                "ValueError: no url",
            ),
            (
                "[ERROR] Exception in worker process\nTraceback (most recent call last):\n  File \"a.py\"\n\
                 ModuleNotFoundError: No module named 'app'\n[INFO] Worker exiting (pid: 9)\n[ERROR] Shutting down: Master\n\
                 [ERROR] Reason: Worker failed to boot.",
                "ModuleNotFoundError: No module named 'app'",
            ),
            (
                "panic: no url\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:5 +0x1d\nexit status 2",
                "panic: no url",
            ),
            (
                "***\nAPPLICATION FAILED TO START\n***\n\nDescription:\n\nWeb server failed to start. Port 8080 was in use.\n\n\
                 Action:\n\nStop the process that listens there.",
                "Web server failed to start. Port 8080 was in use.",
            ),
            (
                "{\"level\":\"info\",\"msg\":\"boot\"}\n{\"level\":50,\"msg\":\"no url\"}\n{\"level\":60,\"msg\":\"start failed\"}",
                "ERROR no url",
            ),
            ("  indented only\n", "indented only"),
            ("Shutting down", "Shutting down"),
        ];
        for (log, expected) in cases {
            assert_eq!(first_error(&lines(log)).map(|said| said.text).as_deref(), Some(expected), "{log}");
        }
        assert_eq!(first_error(&[]), None);
        assert_eq!(first_error(&lines("\n\n")), None);
    }

    #[test]
    fn an_excerpt_shows_the_error_and_of_each_stack_the_first_frame() {
        let log = format!("starting\nERROR no url\n{}a\nb\nc\nApplication run failed", "\tat x\n".repeat(20));
        let all = [
            "starting",
            "ERROR no url",
            "\tat x",
            "    … 19 more lines",
            "a",
            "b",
            "c",
            "Application run failed",
        ];
        assert_eq!(excerpt(&lines(&log), 12), all);
        let farewells = log.replace("\na\nb\nc", "\nclosing a\nclosing b\nclosing c");
        let few = ["ERROR no url", "…", "closing c", "Application run failed"];
        assert_eq!(excerpt(&lines(&farewells), 4), few);
        assert_eq!(excerpt(&lines("a\n b\n c\nd"), 9), ["a", " b", " c", "d"]);
    }
}
