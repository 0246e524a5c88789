//! The screen: plain lines, a live terminal, NDJSON, or nothing.

use std::borrow::Cow;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use deploy::event::{Event, Kind, ProbeAnswer};
use deploy::view::github::Log;
use deploy::view::{Detail, ascii, fitted, with_options, wrapped};

use super::live::Live;
use super::paint::{REPORT, marks, paint};
use crate::host::Terminal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Lines for people to read.
    Text,
    /// For programs: one JSON object a line for each event, or one object for a command that only reads.
    Json,
    /// Of `plan`: the body of a comment on a pull request.
    Markdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Also where the output is no terminal.
    Always,
    /// Not even on a terminal.
    Never,
}

#[derive(Debug)]
pub struct Screen {
    kind: Shape,
    detail: Detail,
    terminal: Terminal,
    /// How the last call ended of which a line was shown, and when.
    call: Option<(String, u64)>,
    /// The command is `smoke`, which shows its checks as its result: a line each would say the same twice.
    smokes: bool,
}

#[derive(Debug)]
enum Shape {
    Silent,
    Json,
    Lines { stamped: bool },
    GitHub(Log),
    Live(Box<Live>),
}

/// For so long after a line about a call, others that ended alike have none.
const CALLS_ALIKE_MS: u64 = 5_000;

impl Screen {
    /// The screen for a command.
    pub fn new(format: Format, verbose: bool, terminal: Terminal) -> Self {
        let kind = match format {
            Format::Json => Shape::Json,
            Format::Markdown => Shape::Silent,
            Format::Text if terminal.stdout && terminal.stderr && !terminal.ci && !terminal.dumb => {
                Shape::Live(Box::new(Live::new(terminal)))
            }
            Format::Text if terminal.github => Shape::GitHub(Log::default()),
            Format::Text => Shape::Lines { stamped: true },
        };
        Self {
            kind,
            detail: if verbose { Detail::Verbose } else { Detail::Normal },
            terminal,
            call: None,
            smokes: false,
        }
    }

    /// A screen for a command whose result is one object or one table: progress is not shown.
    pub fn quiet(format: Format, verbose: bool, terminal: Terminal) -> Self {
        match format {
            Format::Json | Format::Markdown => Self::silent(),
            Format::Text => Self {
                kind: Shape::Lines { stamped: false },
                detail: if verbose { Detail::Verbose } else { Detail::Normal },
                terminal,
                call: None,
                smokes: false,
            },
        }
    }

    /// A screen that shows nothing.
    pub fn silent() -> Self {
        Self {
            kind: Shape::Silent,
            detail: Detail::Normal,
            terminal: Terminal::none(),
            call: None,
            smokes: false,
        }
    }

    /// Twenty reads go out side by side: what ends them all alike, such as a network that is down, is one line.
    fn repeats(&mut self, event: &Event) -> bool {
        let Kind::Called(call) = &event.kind else { return false };
        if matches!((&self.kind, self.detail), (Shape::Json, _) | (_, Detail::Verbose)) || call.attempt < 2 {
            return false;
        }
        let ended = call.outcome.split("; again in ").next().unwrap_or_default();
        let is_same = |(last, at_ms): &(String, u64)| last == ended && event.at_ms < at_ms + CALLS_ALIKE_MS;
        let repeats = self.call.as_ref().is_some_and(is_same);
        if !repeats {
            self.call = Some((ended.to_owned(), event.at_ms));
        }
        repeats
    }

    /// `smoke` ends with an error for each check that failed, which says what the check's own line does.
    fn comes_later(&mut self, event: &Event) -> bool {
        match &event.kind {
            Kind::Began { command, .. } => self.smokes = command == "smoke",
            Kind::Probed { passed: false, answer, .. } if !matches!(self.kind, Shape::Json) => {
                return self.smokes && !matches!(answer, ProbeAnswer::Unreachable { .. });
            }
            _ => {}
        }
        false
    }

    pub(super) fn show(&mut self, event: &Event) {
        if self.repeats(event) || self.comes_later(event) {
            return;
        }
        let (detail, columns) = (self.detail, self.terminal.columns());
        match &mut self.kind {
            Shape::Silent => {}
            Shape::Json => {
                if let Ok(mut value) = serde_json::to_value(event) {
                    // Plain variables in a plan's differences may hold a secret, here as in the lines for people.
                    deploy::redact::json(&mut value);
                    print_result(&value.to_string());
                }
            }
            Shape::Lines { stamped } => {
                let stamp_columns = if *stamped { STAMP } else { 0 };
                let columns = columns.map(|columns| columns.saturating_sub(stamp_columns));
                let Some(text) = fitted(event, detail, columns) else { return };
                let text = paint(&text, marks(&event.kind));
                let text = if *stamped { stamp(event.at_ms, &text) } else { text };
                print(&text, stream(event));
            }
            Shape::GitHub(log) => {
                let (commands, text) = log.lines(event, detail);
                commands.iter().for_each(|command| print(command, Stream::Out));
                if let Some(text) = text {
                    print(&stamp(event.at_ms, &text), Stream::Out);
                }
            }
            Shape::Live(live) => {
                live.follow(event);
                let above = fitted(event, detail, columns).filter(|_| !live.holds(event));
                if let Some(text) = above {
                    live.suspend(|| print(&paint(&text, marks(&event.kind)), stream(event)));
                }
            }
        }
    }

    pub(super) fn pause(&mut self) {
        if let Shape::Live(live) = &mut self.kind {
            live.clear();
        }
    }
}

/// Prints a result (a table, an object) to standard output. A reader that has gone away is no error.
pub(crate) fn print_result(text: &str) {
    // An object is UTF-8, wherever it is printed.
    match text.starts_with('{') {
        true => drop(writeln!(anstream::stdout(), "{}", advised(text))),
        false => print(text, Stream::Out),
    }
}

/// Prints a result for people: on a terminal no line is longer than it is wide.
pub(crate) fn print_text(text: &str) {
    print(&fit(text, Terminal::width()), Stream::Out);
}

/// What has room above the cursor's line: a text that scrolls would leave its upper part behind each time.
fn cut(text: &str, rows: usize) -> Cow<'_, str> {
    let (lines, room) = (text.lines().count(), rows.saturating_sub(1));
    if lines <= room {
        return Cow::Borrowed(text);
    }
    let kept: Vec<&str> = text.lines().take(room.saturating_sub(1)).collect();
    Cow::Owned(format!("{}\n… {} more lines", kept.join("\n"), lines - kept.len()))
}

fn fit(text: &str, columns: Option<usize>) -> Cow<'_, str> {
    columns.map_or(Cow::Borrowed(text), |columns| Cow::Owned(wrapped(text, columns)))
}

/// Prints a result in place of the one before: on a terminal (`whole`) from its top on, elsewhere below it.
///
/// # Errors
/// When nobody reads any more.
pub(crate) fn print_again(text: &str, whole: bool) -> std::io::Result<()> {
    let mut out = anstream::stdout();
    if !whole {
        return writeln!(out, "{}", shown(text));
    }
    // Overwritten and not cleared: a screen that is empty between two looks flickers.
    let text = cut(text, usize::from(Terminal::size().1));
    let lines: String =
        shown(&paint(&text, REPORT)).lines().map(|line| format!("{line}\u{1b}[K\n")).collect();
    write!(out, "\u{1b}[H{lines}\u{1b}[J")?;
    out.flush()
}

/// Writes a command's own bytes to standard output unchanged, at once.
///
/// # Errors
/// `BrokenPipe` when nobody reads them any more.
pub(crate) fn pass_on(bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Prints what is said of a command: on a terminal no line is longer than it is wide.
pub(crate) fn print_error(text: &str) {
    print_lines(&fit(text, Terminal::error_columns()));
}

/// Prints lines to standard error as they are, such as those of a file with marks under them.
pub(crate) fn print_lines(text: &str) {
    if colors_errors() || text.contains('\u{1b}') {
        print(&paint(text, REPORT), Stream::Err);
    } else {
        // Nothing to take away: for thousands of mistakes that alone would take as long as to find them.
        drop(writeln!(std::io::stderr().lock(), "{}", shown(text)));
    }
}

/// Whether standard error shows colors.
pub(crate) fn colors_errors() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

fn stream(event: &Event) -> Stream {
    match event.kind {
        Kind::Failed { .. } | Kind::Warned { .. } => Stream::Err,
        _ => Stream::Out,
    }
}

/// `head` closes the pipe early; the deployment continues.
fn print(text: &str, stream: Stream) {
    let text = shown(text);
    let written = match stream {
        Stream::Out => writeln!(anstream::stdout(), "{text}"),
        Stream::Err => writeln!(anstream::stderr(), "{text}"),
    };
    drop(written);
}

/// Whether this terminal shows ASCII only: one for the program, as its colors are.
static ASCII: AtomicBool = AtomicBool::new(false);

/// How the environment was named, such as `--env prod`; empty where it was not: one for the program too.
static OPTIONS: OnceLock<String> = OnceLock::new();

/// Says before anything is printed what the terminal shows, and which environment was named.
pub(crate) fn limit(terminal: Terminal, environment: Option<&str>) {
    ASCII.store(terminal.ascii, Ordering::Relaxed);
    if let Some(name) = environment {
        OPTIONS.get_or_init(|| format!("--env {name}"));
    }
}

/// The text as this terminal has it.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    let text = advised(text);
    match ASCII.load(Ordering::Relaxed) && !text.is_ascii() {
        true => Cow::Owned(ascii(&text)),
        false => text,
    }
}

/// The text with its commands for the environment that was named. Here, at the one door of all output, no hint can forget it.
fn advised(text: &str) -> Cow<'_, str> {
    match OPTIONS.get().filter(|_| text.contains("`cargo xtask")) {
        Some(options) => Cow::Owned(with_options(text, options)),
        None => Cow::Borrowed(text),
    }
}

/// Columns of the seconds before a line.
const STAMP: usize = 9;

/// Puts the seconds since the beginning before the first line, and as much room before the others.
fn stamp(at_ms: u64, text: &str) -> String {
    let mut lines = text.lines();
    let first = format!("{:>6}.{} {}", at_ms / 1000, at_ms % 1000 / 100, lines.next().unwrap_or_default());
    lines.fold(first, |mut all, line| {
        all.push('\n');
        if !line.is_empty() {
            all.push_str("         ");
            all.push_str(line);
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use deploy::event::Call;

    use super::*;

    #[test]
    fn later_lines_of_an_event_stand_under_the_first() {
        assert_eq!(stamp(12_345, "a\nb"), "    12.3 a\n         b");
    }

    #[test]
    fn what_is_shown_again_and_again_never_scrolls() {
        assert_eq!(cut("a\nb\nc", 4), "a\nb\nc");
        assert_eq!(cut("a\nb\nc\nd", 4), "a\nb\n… 2 more lines");
    }

    #[test]
    fn a_network_that_is_down_is_one_line_and_not_one_for_each_of_twenty_reads() {
        let mut screen = Screen::new(Format::Text, false, Terminal::none());
        let call = |attempt, outcome: &str| Call { attempt, outcome: outcome.to_owned(), ..Call::default() };
        let mut hidden = |at_ms, call| screen.repeats(&Event { seq: 0, at_ms, kind: Kind::Called(call) });
        let refused = "got no answer: connection refused";
        assert!(!hidden(0, call(2, &format!("{refused}; again in 28 ms"))));
        assert!(hidden(10, call(2, &format!("{refused}; again in 331 ms"))), "another operation");
        assert!(hidden(900, call(4, refused)));
        assert!(!hidden(901, call(2, "ThrottlingException; again in 5 ms")), "another reason");
        assert!(!hidden(9_000, call(2, "ThrottlingException")), "it goes on");
    }

    #[test]
    fn smoke_prints_a_failed_check_once_with_its_remedy_and_a_deploy_where_it_fails_too() {
        let began = |command: &str| Kind::Began {
            command: command.to_owned(),
            environment: "local".to_owned(),
            release: None,
            commit: None,
        };
        let probed = |answer| Kind::Probed {
            service: deploy::model::ServiceKey("web".to_owned()),
            url: "http://lb/x".to_owned(),
            passed: false,
            check: deploy::model::SmokeCheck::default(),
            answer,
            attempts: 2,
        };
        let (wrong, error) = (ProbeAnswer::WrongService { answered: None }, "refused".to_owned());
        for (format, command, later) in
            [(Format::Text, "smoke", true), (Format::Text, "deploy", false), (Format::Json, "smoke", false)]
        {
            let mut screen = Screen::new(format, false, Terminal::none());
            let mut hides = |kind| screen.comes_later(&Event { seq: 0, at_ms: 0, kind });
            assert!(!hides(began(command)));
            assert_eq!(hides(probed(wrong.clone())), later, "{command}");
            // It is no fault of the release, and no error follows.
            assert!(!hides(probed(ProbeAnswer::Unreachable { error: error.clone() })), "{command}");
        }
    }
}
