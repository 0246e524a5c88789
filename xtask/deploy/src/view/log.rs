//! One entry of `logs` as text.

use super::clock::{clock, date};
use super::words::bare;
use crate::logs::{Level, LogEntry, LogEvent, structured};
use crate::model::short_id;

/// An entry as it is printed, in parts, so that whoever colors it need not read it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogText {
    /// `2026-11-29 UTC`.
    pub date: String,
    /// `08:00:12.345`.
    pub time: String,
    /// `backend/3f2a91bc`, and the container where it is not the service's own.
    pub from: String,
    pub level: Level,
    /// Several lines, where the message has several.
    pub text: String,
}

/// `own` is the service's own container; `raw` leaves JSON as it is.
pub fn log_entry(entry: &LogEntry, own: &str, raw: bool) -> LogText {
    let mut from = entry.service.0.clone();
    if let Some(task) = &entry.task {
        from.push_str(&format!("/{}", short_id(task)));
    }
    let (level, text) = match &entry.what {
        LogEvent::Line { container, message } => {
            if container != own {
                from.push_str(&format!("/{container}"));
            }
            match structured(message).filter(|_| !raw) {
                Some(line) => (line.level, line.text),
                None => (Level::Other, message.trim_end().to_owned()),
            }
        }
        LogEvent::Started { revision } => (Level::Other, format!("-- started: {revision}")),
        LogEvent::Stopped { reason, containers } => {
            let ends = containers.iter().map(|end| format!("; {end}")).collect::<String>();
            (Level::Other, format!("-- stopped: {}{ends}", bare(reason)))
        }
        LogEvent::Unread { error } => (Level::Warn, format!("-- {error}")),
        LogEvent::Interrupted { error } => {
            (Level::Warn, format!("-- {error}; reading again, no line is left out"))
        }
    };
    LogText { date: date(entry.at_ms), time: clock(entry.at_ms), from, level, text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ServiceKey;

    fn shown(task: &str, what: LogEvent, raw: bool) -> String {
        let task = Some(task.to_owned()).filter(|task| !task.is_empty());
        let entry = LogEntry { at_ms: 1_796_030_412_345, service: ServiceKey("web".into()), task, what };
        let LogText { date, time, from, text, .. } = log_entry(&entry, "web", raw);
        format!("{date} {time} {from} {text}")
    }

    #[test]
    fn a_line_says_when_and_which_task_and_a_foreign_container_is_named() {
        let line = |container: &str| LogEvent::Line {
            container: container.into(),
            message: r#"{"level":"info","msg":"up"}"#.into(),
        };
        let id = "3f2a91bc00000000000000000000abcd";
        assert_eq!(shown(id, line("web"), false), "2026-11-30 09:20:12.345 web/3f2a91bc INFO up");
        assert!(
            shown(id, line("envoy"), true)
                .ends_with(" web/3f2a91bc/envoy {\"level\":\"info\",\"msg\":\"up\"}")
        );
        let stopped = LogEvent::Stopped {
            reason: "EssentialContainerExited: Essential container in task exited".into(),
            containers: vec!["web exit code 1".into()],
        };
        assert!(shown(id, stopped, false).ends_with(
            "-- stopped: EssentialContainerExited: Essential container in task exited; web exit code 1"
        ));
        let gap = LogEvent::Interrupted { error: "logs:FilterLogEvents was throttled (x)".into() };
        let unread = LogEvent::Unread { error: "web has no log group yet".into() };
        assert!(shown("", unread, false).ends_with("-- web has no log group yet"));
        assert!(shown("", gap, false).contains(" web -- logs:FilterLogEvents was throttled"));
    }
}
