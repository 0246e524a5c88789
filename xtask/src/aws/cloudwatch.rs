//! CloudWatch: the states of alarms. Reads only.

use deploy::status::AlarmState;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Op;
use super::lite::{self, Api};
use super::{Aws, Error};

const TARGET: &str = "GraniteServiceVersion20100801";
const DESCRIBE: Op = Op::read("cloudwatch", "DescribeAlarms");
/// Names that one call takes.
const BATCH: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Alarm {
    alarm_name: String,
    #[serde(default)]
    state_value: String,
    #[serde(default)]
    state_reason: String,
    /// Seconds since the Unix epoch.
    #[serde(default)]
    state_updated_timestamp: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reply {
    #[serde(default)]
    metric_alarms: Vec<Alarm>,
    #[serde(default)]
    composite_alarms: Vec<Alarm>,
    next_token: Option<String>,
}

impl Aws {
    /// The alarms of these names. One that does not exist is left out.
    pub async fn describe_alarms(&self, names: &[String]) -> Result<Vec<AlarmState>, Error> {
        let mut found = Vec::new();
        for names in names.chunks(BATCH) {
            found.extend(self.alarms(json!({"AlarmNames": names})).await?);
        }
        Ok(found)
    }

    /// The alarms whose names begin so.
    pub async fn find_alarms(&self, prefix: &str) -> Result<Vec<AlarmState>, Error> {
        self.alarms(json!({"AlarmNamePrefix": prefix})).await
    }

    async fn alarms(&self, mut members: Value) -> Result<Vec<AlarmState>, Error> {
        // Without it only metric alarms are listed (DescribeAlarms, `AlarmTypes`).
        members["AlarmTypes"] = json!(["MetricAlarm", "CompositeAlarm"]);
        let mut found = Vec::new();
        loop {
            let call = || self.lite.json(Api::CloudWatch, DESCRIBE.name, TARGET, &members);
            let body = self.call(DESCRIBE, call).await?;
            let reply: Reply = lite::json(&body).map_err(|why| Error::unreadable(DESCRIBE, &body, &why))?;
            let alarms = reply.metric_alarms.into_iter().chain(reply.composite_alarms);
            found.extend(alarms.map(|alarm| AlarmState {
                name: alarm.alarm_name,
                state: alarm.state_value,
                reason: alarm.state_reason,
                since_ms: (alarm.state_updated_timestamp * 1_000.0).max(0.0) as u64,
            }));
            let Some(next) = reply.next_token else { return Ok(found) };
            members["NextToken"] = Value::String(next);
        }
    }
}
