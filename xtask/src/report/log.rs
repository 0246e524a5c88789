//! Where `logs` prints: lines for people, colored by service and level, or NDJSON.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use deploy::logs::{Level, LogEntry};
use deploy::model::{Environment, Service, ServiceKey};
use deploy::view::{LogText, log_entry};

use super::Format;
use super::screen::shown;

/// Colors of services, those of success and failure aside.
const HUES: [AnsiColor; 5] =
    [AnsiColor::Cyan, AnsiColor::Magenta, AnsiColor::Blue, AnsiColor::BrightCyan, AnsiColor::BrightMagenta];
const DIM: Style = Style::new().dimmed();

pub(crate) struct LogScreen {
    format: Format,
    raw: bool,
    /// Each service's own container and color.
    services: Vec<(ServiceKey, String, Style)>,
    width: usize,
    date: String,
}

impl LogScreen {
    pub(crate) fn new(format: Format, environment: &Environment, shown: &[&Service], raw: bool) -> Self {
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
        if self.format == Format::Json {
            return writeln!(out, "{}", serde_json::to_string(entry)?);
        }
        let known = self.services.iter().find(|(key, ..)| *key == entry.service);
        let (own, hue) = known.map_or(("", Style::new()), |(_, own, hue)| (own.as_str(), *hue));
        let LogText { date, time, from, level, text } = log_entry(entry, own, self.raw);
        if date != self.date {
            writeln!(out, "{DIM}{date} UTC{DIM:#}")?;
            self.date = date;
        }
        let style = match level {
            Level::Error => AnsiColor::Red.on_default(),
            Level::Warn => AnsiColor::Yellow.on_default(),
            Level::Other => Style::new(),
        };
        let width = self.width;
        for (at, line) in shown(&text).split('\n').enumerate() {
            let time = if at == 0 { time.as_str() } else { "            " };
            writeln!(out, "{DIM}{time}{DIM:#} {hue}{from:<width$}{hue:#} {style}{line}{style:#}")?;
        }
        Ok(())
    }
}
