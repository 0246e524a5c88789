//! Log lines that are JSON objects: the level, the message and the rest, whatever library wrote them.

use serde_json::{Map, Value};

/// How serious a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    Other,
}

/// A JSON object as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structured {
    pub level: Level,
    /// `WARN message key=value`, and a stack trace below it.
    pub text: String,
}

// The names that tracing, logback's and Elastic's encoders, pino, zap, slog and Python's structlog use.
const LEVEL: &[&str] = &["level", "severity", "lvl", "log.level", "levelname"];
const MESSAGE: &[&str] = &["message", "msg", "event"];
/// CloudWatch has the time of each line already.
const TIME: &[&str] = &["timestamp", "@timestamp", "time", "ts", "level_value", "@version"];
const TRACE: &[&str] = &["stack_trace", "error.stack_trace", "stack", "exc_info", "exception"];

/// Reads a line; `None` for one that is no JSON object.
pub fn structured(line: &str) -> Option<Structured> {
    let line = line.trim();
    if !line.starts_with('{') {
        return None;
    }
    let Value::Object(mut members) = serde_json::from_str(line).ok()? else { return None };
    // tracing keeps what was logged in an object of its own, beside level and target.
    if let Some(Value::Object(fields)) = members.get("fields").cloned() {
        members.remove("fields");
        members.extend(fields);
    }
    let word = take(&mut members, LEVEL).map(|level| level_word(&level)).unwrap_or_default();
    let message = take(&mut members, MESSAGE).map(|message| plain(&message));
    let trace = take(&mut members, TRACE).map(|trace| plain(&trace));
    members.retain(|name, value| !TIME.contains(&name.as_str()) && !value.is_null());
    let rest = members.iter().map(|(name, value)| format!("{name}={}", plain(value)));
    let words = [word.clone()].into_iter().chain(message).chain(rest).filter(|word| !word.is_empty());
    let mut text = words.collect::<Vec<_>>().join(" ");
    if let Some(trace) = trace.filter(|trace| !trace.is_empty()) {
        text.push('\n');
        text.push_str(trace.trim_end());
    }
    let level = match word.as_str() {
        "ERROR" | "FATAL" | "CRITICAL" | "SEVERE" | "PANIC" => Level::Error,
        "WARN" | "WARNING" => Level::Warn,
        _ => Level::Other,
    };
    Some(Structured { level, text })
}

fn take(members: &mut Map<String, Value>, names: &[&str]) -> Option<Value> {
    // `log.level` may also be an object `log` with a member `level`, which stays among the rest.
    let name = names.iter().find(|name| members.get(**name).is_some_and(|value| !value.is_object()))?;
    members.remove(*name)
}

/// pino and bunyan write levels as numbers.
fn level_word(level: &Value) -> String {
    match level.as_u64() {
        Some(60..) => "FATAL".to_owned(),
        Some(50..) => "ERROR".to_owned(),
        Some(40..) => "WARN".to_owned(),
        Some(30..) => "INFO".to_owned(),
        Some(20..) => "DEBUG".to_owned(),
        Some(_) => "TRACE".to_owned(),
        None => plain(level).to_uppercase(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_each_library_reads_as_level_message_and_fields() {
        let cases = [
            (
                r#"{"timestamp":"2026-11-29T08:00:00Z","level":"INFO","fields":{"message":"listening","port":8080},"target":"backend"}"#,
                Level::Other,
                "INFO listening port=8080 target=backend",
            ),
            (
                r#"{"@timestamp":"x","@version":"1","log.level":"warn","message":"slow","trace_id":null}"#,
                Level::Warn,
                "WARN slow",
            ),
            (r#"{"level":50,"time":1,"msg":"no db","code":"E1"}"#, Level::Error, "ERROR no db code=E1"),
            (
                r#"{"level":"ERROR","message":"failed","stack_trace":"a.B: x\n\tat c.D\n"}"#,
                Level::Error,
                "ERROR failed\na.B: x\n\tat c.D",
            ),
            (r#"{"path":"/","status":[200]}"#, Level::Other, "path=/ status=[200]"),
        ];
        for (line, level, text) in cases {
            assert_eq!(structured(line), Some(Structured { level, text: text.to_owned() }), "{line}");
        }
        for line in ["listening on 8080", "[1]", "{not json", "", "{\"a\":1} and more"] {
            assert_eq!(structured(line), None, "{line}");
        }
    }
}
