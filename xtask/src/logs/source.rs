//! The streams of one container of a service, read on from where they were read last.

use std::collections::{BTreeMap, VecDeque};

use deploy::logs::{LogEntry, LogEvent};
use deploy::model::{LogGroup, Service, ServiceKey};
use deploy::redact;
use futures_util::future::join_all;

use super::{Error, Wanted};
use crate::aws::{self, Aws, FoundLine, LogFilter};

/// Lines of different tasks arrive out of order: the `awslogs` driver sends them in batches, up to 5 s apart, and CloudWatch
/// takes some seconds more. So much is read again each time, and what was shown is left out.
const LATE_MS: u64 = 15_000;

#[derive(Debug)]
pub(super) struct Source {
    pub(super) service: ServiceKey,
    container: String,
    filter: LogFilter,
    since_ms: u64,
    /// Lines that were shown, by stream and id, and their times.
    shown: BTreeMap<(String, String), u64>,
    ready: VecDeque<LogEntry>,
    /// There may be a page more; `Some(None)` before the first.
    next: Option<Option<String>>,
}

/// A source for each container that is meant.
pub(super) fn all(wanted: Wanted<'_>) -> Result<Vec<Source>, Error> {
    let (mut sources, mut known) = (Vec::new(), Vec::new());
    for service in wanted.services {
        let Some(group) = service.logs() else { continue };
        // A container with a `log-output` sends its lines to the log router.
        let containers = service.containers().filter(|(_, container)| container.log_output.is_empty());
        let names: Vec<&str> = containers.map(|(_, container)| container.name.as_str()).collect();
        known.extend(names.iter().copied());
        let meant = |name: &&&str| wanted.container.is_none_or(|wanted| wanted == **name);
        let before = sources.len();
        sources.extend(names.iter().filter(meant).map(|name| Source::of(service, group, name, wanted)));
        if let (Some(container), true) =
            (wanted.container, sources.len() == before && wanted.services.len() == 1)
        {
            return Err(Error::Container {
                service: service.key.clone(),
                wanted: container.to_owned(),
                known: names.join(", "),
            });
        }
    }
    if sources.is_empty() {
        let names: Vec<_> = wanted.services.iter().map(|service| service.key.0.as_str()).collect();
        return Err(match wanted.container {
            Some(wanted) if !known.is_empty() => {
                Error::Containers { wanted: wanted.to_owned(), known: known.join(", ") }
            }
            _ => Error::Elsewhere(names.join(" and ")),
        });
    }
    Ok(sources)
}

impl Source {
    fn of(service: &Service, group: &LogGroup, container: &str, wanted: Wanted<'_>) -> Self {
        let task = wanted.task.unwrap_or_default();
        Self {
            service: service.key.clone(),
            container: container.to_owned(),
            filter: LogFilter {
                group: group.name.clone(),
                streams: format!("{}/{container}/{task}", group.stream_prefix),
                contains: wanted.grep.map(str::to_owned),
            },
            since_ms: wanted.since_ms,
            shown: BTreeMap::new(),
            ready: VecDeque::new(),
            next: Some(None),
        }
    }

    /// Reads pages until there is a line to show, or no page more.
    async fn fill(&mut self, aws: &Aws) -> Result<(), aws::Error> {
        while let (true, Some(token)) = (self.ready.is_empty(), self.next.clone()) {
            let (lines, next) = aws.filter_log_events(&self.filter, self.since_ms, token.as_deref()).await?;
            self.next = next.map(Some);
            self.take(lines);
        }
        Ok(())
    }

    fn take(&mut self, lines: Vec<FoundLine>) {
        let lines: Vec<_> = lines
            .into_iter()
            .filter(|line| {
                let id = (line.log_stream_name.clone(), line.event_id.clone());
                self.shown.insert(id, line.at_ms).is_none()
            })
            .collect();
        // A private key is printed as several lines, which belong together within their stream only.
        let mut streams: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, line) in lines.iter().enumerate() {
            streams.entry(&line.log_stream_name).or_default().push(at);
        }
        let mut masked = vec![String::new(); lines.len()];
        for places in streams.into_values() {
            let texts: Vec<_> = places.iter().map(|at| lines[*at].message.clone()).collect();
            for (at, text) in places.into_iter().zip(redact::each(&texts)) {
                masked[at] = text;
            }
        }
        // The next reading begins so far before the newest line, and pages of one reading repeat nothing.
        let newest = self.shown.values().max().copied().unwrap_or(0);
        self.shown.retain(|_, at_ms| *at_ms + LATE_MS >= newest);
        let entry = |(line, message): (FoundLine, String)| LogEntry {
            at_ms: line.at_ms,
            service: self.service.clone(),
            task: line.log_stream_name.rsplit('/').next().map(str::to_owned),
            what: LogEvent::Line { container: self.container.clone(), message },
        };
        self.ready.extend(lines.into_iter().zip(masked).map(entry));
    }

    /// Prepares the next reading. After a failure it begins where this one did.
    fn rewind(&mut self, failed: bool) {
        self.next = Some(None);
        if failed {
            return;
        }
        let newest = self.shown.values().max().copied().unwrap_or(0);
        self.since_ms = self.since_ms.max(newest.saturating_sub(LATE_MS));
    }
}

/// Passes on all lines that are there, of all sources by time. No more than a page of each source is kept at once.
pub(super) async fn merge(
    aws: &Aws,
    sources: &mut [Source],
    show: &mut dyn FnMut(LogEntry),
    failed: &mut Vec<(ServiceKey, aws::Error)>,
) {
    let mut broken = vec![false; sources.len()];
    loop {
        let fills = sources
            .iter_mut()
            .zip(&broken)
            .map(|(source, broken)| async { if *broken { Ok(()) } else { source.fill(aws).await } });
        for (at, filled) in join_all(fills).await.into_iter().enumerate() {
            if let Err(error) = filled {
                broken[at] = true;
                failed.push((sources[at].service.clone(), error));
            }
        }
        let first = sources.iter_mut().filter(|source| !source.ready.is_empty());
        let Some(first) = first.min_by_key(|source| source.ready.front().map(|entry| entry.at_ms)) else {
            break;
        };
        if let Some(entry) = first.ready.pop_front() {
            show(entry);
        }
    }
    for (source, broken) in sources.iter_mut().zip(broken) {
        source.rewind(broken);
    }
}
