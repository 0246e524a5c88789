//! CloudWatch Logs: groups, and what tasks wrote.

use deploy::model::spec::LogGroupSpec;
use futures_util::future::try_join_all;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::call::Op;
use super::error::found;
use super::lite::{self, Api};
use super::{Aws, Error, Kind, Tags};

const TARGET: &str = "Logs_20140328";
const DESCRIBE: Op = Op::read("logs", "DescribeLogGroups");
const CREATE: Op = Op::write("logs", "CreateLogGroup");
/// Patient about a log group that was created a moment ago.
const RETENTION: Op = Op::write("logs", "PutRetentionPolicy").patient(&["ResourceNotFoundException"]);
const KEEP: Op = Op::write("logs", "DeleteRetentionPolicy");
const EVENTS: Op = Op::read("logs", "GetLogEvents");
const FILTER: Op = Op::read("logs", "FilterLogEvents");

/// For so many groups that are asked for, one page of 50 (DescribeLogGroups) may be read, with other groups in it.
const EACH_PAGE: usize = 5;

/// A line that a task wrote.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogEvent {
    /// When, in milliseconds since the Unix epoch.
    #[serde(rename = "timestamp", default)]
    pub at_ms: u64,
    #[serde(default)]
    pub message: String,
}

/// Part of a log stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    pub events: Vec<LogEvent>,
    /// Continues after them; the same token as before when nothing has come since.
    pub next: Option<String>,
}

/// Which lines of a log group are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    pub group: String,
    /// How the names of the streams begin.
    pub streams: String,
    /// A text that the lines contain.
    pub contains: Option<String>,
}

/// A line of one of the streams of a group.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundLine {
    /// Unique within its stream.
    pub event_id: String,
    pub log_stream_name: String,
    #[serde(rename = "timestamp", default)]
    pub at_ms: u64,
    #[serde(default)]
    pub message: String,
}

/// Which lines of a stream are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStart<'a> {
    /// The first ones.
    Head,
    /// The last ones.
    Tail,
    /// The next ones after this token.
    After(&'a str),
}

impl Aws {
    /// The log groups of these names that exist.
    ///
    /// AWS lists groups by the beginning of their names: several are read by the beginning that they share, where few others do.
    pub async fn find_log_groups(&self, names: &[&str]) -> Result<Vec<LogGroupSpec>, Error> {
        let shared =
            names.iter().copied().reduce(shared).filter(|shared| names.len() > 1 && !shared.is_empty());
        let mut found = match shared {
            Some(shared) => self.log_groups(shared, names.len().div_ceil(EACH_PAGE)).await?,
            None => None,
        };
        if found.is_none() {
            let each = names.iter().map(|name| self.log_groups(name, usize::MAX));
            found = Some(try_join_all(each).await?.into_iter().flatten().flatten().collect());
        }
        let mut found = found.unwrap_or_default();
        // The filter is a prefix: `/ecs/web` also finds `/ecs/web-admin`.
        found.retain(|group| names.contains(&group.name.as_str()));
        Ok(found)
    }

    /// The groups whose names begin like this, in at most so many pages; `None` when there are more.
    async fn log_groups(&self, prefix: &str, pages: usize) -> Result<Option<Vec<LogGroupSpec>>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Group {
            log_group_name: String,
            retention_in_days: Option<u32>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Reply {
            #[serde(default)]
            log_groups: Vec<Group>,
            next_token: Option<String>,
        }
        let (mut found, mut members) = (Vec::new(), json!({"logGroupNamePrefix": prefix}));
        for _ in 0..pages {
            let reply: Reply = self.logs(DESCRIBE, &members).await?;
            let group =
                |it: Group| LogGroupSpec { name: it.log_group_name, retention_days: it.retention_in_days };
            found.extend(reply.log_groups.into_iter().map(group));
            let Some(next) = reply.next_token else { return Ok(Some(found)) };
            members["nextToken"] = Value::String(next);
        }
        Ok(None)
    }

    /// Creates a log group, without its retention; one that exists stays as it is.
    pub async fn create_log_group(&self, spec: &LogGroupSpec, tags: &Tags) -> Result<(), Error> {
        let name = &spec.name;
        let members = if tags.is_empty() {
            json!({"logGroupName": name})
        } else {
            json!({"logGroupName": name, "tags": tags})
        };
        match self.logs_empty(CREATE, &members).await {
            Err(error) if matches!(error.kind, Kind::AlreadyExists) => Ok(()),
            result => result,
        }
    }

    /// Sets for how many days events are kept.
    ///
    /// # Errors
    /// When AWS refuses; it takes certain numbers of days only.
    pub async fn put_retention_policy(&self, spec: &LogGroupSpec) -> Result<(), Error> {
        let name = &spec.name;
        match spec.retention_days {
            Some(days) => {
                self.logs_empty(RETENTION, &json!({"logGroupName": name, "retentionInDays": days})).await
            }
            None => self.logs_empty(KEEP, &json!({"logGroupName": name})).await,
        }
    }

    /// At most `limit` lines of a stream. A stream that does not exist, as before a container's start, has no lines.
    pub async fn get_log_events(
        &self,
        group: &str,
        stream: &str,
        limit: u32,
        start: LogStart<'_>,
    ) -> Result<LogPage, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Reply {
            #[serde(default)]
            events: Vec<LogEvent>,
            next_forward_token: Option<String>,
        }
        let mut members = json!({"logGroupName": group, "logStreamName": stream, "limit": limit, "startFromHead": start != LogStart::Tail});
        if let LogStart::After(token) = start {
            members["nextToken"] = Value::String(token.to_owned());
        }
        let page = |reply: Reply| LogPage { events: reply.events, next: reply.next_forward_token };
        Ok(found(self.logs(EVENTS, &members).await)?.map(page).unwrap_or_default())
    }

    /// Lines from `since_ms` on, in order of time, and the token of the next page, which may follow an empty one. Lines that
    /// arrive late are among them as soon as they are there.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when there is no such group; when AWS refuses.
    pub async fn filter_log_events(
        &self,
        filter: &LogFilter,
        since_ms: u64,
        token: Option<&str>,
    ) -> Result<(Vec<FoundLine>, Option<String>), Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Reply {
            #[serde(default)]
            events: Vec<FoundLine>,
            next_token: Option<String>,
        }
        let mut members = json!({
            "logGroupName": filter.group,
            "logStreamNamePrefix": filter.streams,
            "startTime": since_ms,
        });
        // A phrase in a filter pattern has no escape for a quotation mark: such a text is searched here alone.
        if let Some(text) = filter.contains.as_ref().filter(|text| !text.contains(['"', '\\'])) {
            members["filterPattern"] = Value::String(format!("\"{text}\""));
        }
        if let Some(token) = token {
            members["nextToken"] = Value::String(token.to_owned());
        }
        let Reply { mut events, next_token } = self.logs(FILTER, &members).await?;
        events
            .retain(|line| filter.contains.as_ref().is_none_or(|text| line.message.contains(text.as_str())));
        Ok((events, next_token))
    }

    async fn logs<T: DeserializeOwned>(&self, op: Op, members: &Value) -> Result<T, Error> {
        let body = self.call(op, || self.lite.json(Api::Logs, op.name, TARGET, members)).await?;
        lite::json(&body).map_err(|why| Error::unreadable(op, &body, &why))
    }

    /// For operations that answer with an empty body.
    async fn logs_empty(&self, op: Op, members: &Value) -> Result<(), Error> {
        self.call(op, || self.lite.json(Api::Logs, op.name, TARGET, members)).await.map(drop)
    }
}

/// The beginning that two names share.
fn shared<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.char_indices().zip(other.chars()).find(|((_, one), other)| one != other);
    &one[..same.map_or(one.len().min(other.len()), |((at, _), _)| at)]
}
