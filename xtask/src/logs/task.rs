//! What the service's own container of one task prints, read on from where it was read last.

use deploy::model::Service;
use deploy::redact;

use crate::aws::{Aws, Error};

/// Lines of one read.
const LINES: u32 = 1_000;

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

    /// What is new.
    ///
    /// # Errors
    /// When AWS refuses; the next read begins where this one did.
    pub async fn read(&mut self, aws: &Aws) -> Result<Vec<String>, Error> {
        let page = aws.get_log_events(&self.group, &self.stream, LINES, self.token.as_deref()).await?;
        self.token = page.next.or(self.token.take());
        let lines: Vec<String> =
            page.events.iter().map(|event| event.message.trim_end().to_owned()).collect();
        let lines = redact::lines(&lines);
        self.lines.extend(lines.iter().cloned());
        Ok(lines)
    }
}
