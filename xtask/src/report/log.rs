//! Where `logs` prints: lines for people, colored by service and level, or NDJSON.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use deploy::logs::{Level, LogEntry};
use deploy::model::{Environment, Service, ServiceKey};
use deploy::view::{LogText, log_entry, wrapped};

use super::Format;
use super::screen::shown;
use crate::host::Terminal;

/// Colors of services, those of success and failure aside.
const HUES: [AnsiColor; 5] =
    [AnsiColor::Cyan, AnsiColor::Magenta, AnsiColor::Blue, AnsiColor::BrightCyan, AnsiColor::BrightMagenta];
const DIM: Style = Style::new().dimmed();

/// In fewer columns broken lines are harder to read than those that the terminal breaks.
const ROOM: usize = 30;

/// What is shown so far decides when a date is printed again.
#[derive(Debug)]
pub struct LogScreen {
    format: Format,
    raw: bool,
    /// Each service's own container and color.
    services: Vec<(ServiceKey, String, Style)>,
    width: usize,
    date: String,
}

impl LogScreen {
    pub fn new(format: Format, environment: &Environment, shown: &[&Service], raw: bool) -> Self {
        let hue = |(at, service): (usize, &Service)| {
            let style = HUES[at % HUES.len()].on_default();
            (service.key.clone(), service.container.name.clone(), style)
        };
        // With the first eight digits of a task's id.
        let width = shown.iter().map(|service| service.key.0.len() + 9).max().unwrap_or(0);
        let services = environment.services.iter().enumerate().map(hue).collect();
        Self { format, raw, services, width, date: String::new() }
    }

    /// # Errors
    /// When nobody reads any more.
    pub(crate) fn show(&mut self, entry: &LogEntry) -> io::Result<()> {
        let mut out = anstream::stdout();
        match self.format {
            Format::Json => writeln!(out, "{}", serde_json::to_string(entry)?),
            _ => out.write_all(shown(&self.text(entry, Terminal::width())).as_bytes()),
        }
    }

    /// The entry's lines, each with a newline at its end. On a terminal of so many columns they are broken below their own
    /// text; raw lines never are.
    pub fn text(&mut self, entry: &LogEntry, columns: Option<usize>) -> String {
        let known = self.services.iter().find(|(key, ..)| *key == entry.service);
        let (own, hue) = known.map_or(("", Style::new()), |(_, own, hue)| (own.as_str(), *hue));
        let LogText { date, time, from, level, text } = log_entry(entry, own, self.raw);
        let mut out = String::new();
        if date != self.date {
            out.push_str(&format!("{DIM}{date} UTC{DIM:#}\n"));
            self.date = date;
        }
        let style = match level {
            Level::Error => AnsiColor::Red.on_default(),
            Level::Warn => AnsiColor::Yellow.on_default(),
            Level::Other => Style::new(),
        };
        let width = self.width;
        let before = time.len() + from.len().max(width) + 2;
        let room = columns.map(|columns| columns.saturating_sub(before));
        let room = room.filter(|room| !self.raw && *room >= ROOM).unwrap_or(usize::MAX);
        for (at, line) in text.split('\n').enumerate() {
            let time = if at == 0 { time.as_str() } else { "            " };
            for (at, part) in wrapped(line, room).split('\n').enumerate() {
                match at {
                    0 => out.push_str(&format!("{DIM}{time}{DIM:#} {hue}{from:<width$}{hue:#} ")),
                    _ => out.push_str(&" ".repeat(before)),
                }
                out.push_str(&format!("{style}{part}{style:#}\n"));
            }
        }
        out
    }
}
