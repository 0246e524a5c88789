//! What the service's own container of one task prints, read on from where it was read last.

use deploy::model::Service;
use deploy::redact;

use crate::aws::{Aws, Error, LogStart};

/// Lines of one page: as many as GetLogEvents gives.
const LINES: u32 = 10_000;

pub struct TaskPrints {
    group: String,
    stream: String,
    token: Option<String>,
    /// All that was read, without secrets.
    pub lines: Vec<String>,
}

impl TaskPrints {
    pub fn of(service: &Service, task: &str) -> Self {
        let stream = format!("{}/{}/{task}", service.log_group.stream_prefix, service.container.name);
        Self { group: service.log_group.name.clone(), stream, token: None, lines: Vec::new() }
    }

    /// What is new, from the stream's beginning on.
    ///
    /// # Errors
    /// When AWS refuses; the next read begins where this one did.
    pub async fn read(&mut self, aws: &Aws) -> Result<Vec<String>, Error> {
        let mut lines = Vec::new();
        loop {
            let start = self.token.as_deref().map_or(LogStart::Head, LogStart::After);
            let page = match aws.get_log_events(&self.group, &self.stream, LINES, start).await {
                // What was read is passed on; the next read begins behind it.
                Err(_) if !lines.is_empty() => break,
                page => page?,
            };
            lines.extend(page.events.iter().map(|event| event.message.trim_end().to_owned()));
            // The token of before says that this was the end; an empty page alone does not (CloudWatch Logs API, GetLogEvents).
            let end = page.next.is_none() || page.next == self.token;
            self.token = page.next.or(self.token.take());
            if end {
                break;
            }
        }
        let lines = redact::lines(&lines);
        self.lines.extend(lines.iter().cloned());
        Ok(lines)
    }
}
