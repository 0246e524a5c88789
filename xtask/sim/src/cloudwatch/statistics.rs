//! ListMetrics, GetMetricStatistics, GetMetricData and PutMetricData.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::metrics::{Metric, Samples};
use super::minutes;
use super::state::State;
use crate::base::{Base, Millis};
use crate::wire::{ApiError, ApiRequest, Outcome, listing, params};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Named {
    namespace: String,
    metric_name: String,
    dimensions: Vec<Dimension>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Dimension {
    name: String,
    value: Option<String>,
}

impl Named {
    pub(super) fn metric(&self) -> Metric {
        let dimensions = self.dimensions.iter();
        Metric {
            namespace: self.namespace.clone(),
            name: self.metric_name.clone(),
            dimensions: dimensions
                .map(|own| (own.name.clone(), own.value.clone().unwrap_or_default()))
                .collect(),
        }
    }
}

fn shown(metric: &Metric) -> Value {
    json!({ "Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions(metric) })
}

pub(super) fn dimensions(metric: &Metric) -> Vec<Value> {
    metric.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect()
}

pub(super) fn list(cloudwatch: &State, request: &ApiRequest) -> Outcome {
    let asked: Named = params(request)?;
    let fits = |metric: &&Metric| {
        let has = |own: &Dimension| {
            let value = metric.dimensions.get(&own.name);
            value.is_some_and(|value| own.value.as_ref().is_none_or(|wanted| wanted == value))
        };
        (asked.namespace.is_empty() || asked.namespace == metric.namespace)
            && (asked.metric_name.is_empty() || asked.metric_name == metric.name)
            && asked.dimensions.iter().all(has)
    };
    let found = cloudwatch.metrics.names().filter(fits).collect();
    listing(request, "Metrics", (500, 500), found, shown)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statistics {
    start_time: f64,
    end_time: f64,
    period: u64,
    #[serde(default)]
    statistics: Vec<String>,
    #[serde(default)]
    extended_statistics: Vec<String>,
}

const INVALID: &str = "InvalidParameterValue";
const COMBINATION: &str = "InvalidParameterCombination";

/// The most datapoints of one GetMetricStatistics.
const MOST_POINTS: u64 = 1440;

pub(super) fn get(cloudwatch: &State, request: &ApiRequest) -> Outcome {
    let (named, asked): (Named, Statistics) = (params(request)?, params(request)?);
    check_name(&named)?;
    let (from, until) = span(asked.start_time, asked.end_time)?;
    check_period(asked.period)?;
    if asked.statistics.is_empty() == asked.extended_statistics.is_empty() {
        let text = "At least one of the parameters Statistics and ExtendedStatistics must be specified";
        return Err(ApiError::new(COMBINATION, text));
    }
    if let Some(other) = asked.extended_statistics.first() {
        return Err(unkept(other));
    }
    if until.since(from) / (asked.period.max(1) * 1000) > MOST_POINTS {
        let text = format!("You have requested more than {MOST_POINTS} datapoints, which exceeds the limit.");
        return Err(ApiError::new(COMBINATION, text));
    }
    let metric = named.metric();
    let unit = unit(&metric);
    let points = cloudwatch.metrics.periods(&metric, (from, until), asked.period).into_iter();
    let points = points.map(|(at, samples)| {
        let mut point = json!({ "Timestamp": at.epoch_secs(), "Unit": unit });
        for name in &asked.statistics {
            point[name] = json!(samples.statistic(name).ok_or_else(|| unkept(name))?);
        }
        Ok(point)
    });
    Ok(json!({ "Label": metric.name, "Datapoints": points.collect::<Result<Vec<_>, ApiError>>()? }))
}

fn check_name(named: &Named) -> Result<(), ApiError> {
    let missing = [("Namespace", &named.namespace), ("MetricName", &named.metric_name)];
    match missing.into_iter().find(|(_, value)| value.is_empty()) {
        Some((member, _)) => {
            let text = format!("The parameter {member} is required.");
            Err(ApiError::new("MissingParameter", text))
        }
        None => Ok(()),
    }
}

fn check_period(period: u64) -> Result<(), ApiError> {
    if period > 0 && (period.is_multiple_of(60) || [1, 5, 10, 20, 30].contains(&period)) {
        return Ok(());
    }
    let text = "The parameter Period must be a value in the set [1, 5, 10, 20, 30], or any multiple of 60.";
    Err(ApiError::new(INVALID, text))
}

fn span(start: f64, end: f64) -> Result<(Millis, Millis), ApiError> {
    if end <= start {
        let text = "The parameter StartTime must be less than the parameter EndTime.";
        return Err(ApiError::new(COMBINATION, text));
    }
    let millis = |secs: f64| Millis((secs.max(0.0) * 1000.0) as u64);
    Ok((millis(start), millis(end)))
}

fn unkept(statistic: &str) -> ApiError {
    let text = format!(
        "The embedded cloud keeps SampleCount, Average, Sum, Minimum and Maximum, and not the statistic {statistic}."
    );
    ApiError::new(INVALID, text)
}

fn unit(metric: &Metric) -> &'static str {
    match metric.name.as_str() {
        "CPUUtilization" | "MemoryUtilization" => "Percent",
        _ if metric.namespace == "AWS/ApplicationELB" => "Count",
        _ => "None",
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    metric_data_queries: Vec<Query>,
    start_time: f64,
    end_time: f64,
    scan_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    id: String,
    label: Option<String>,
    expression: Option<String>,
    metric_stat: Option<MetricStat>,
    return_data: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: Named,
    period: u64,
    stat: String,
}

pub(super) fn data(cloudwatch: &State, request: &ApiRequest) -> Outcome {
    let asked: Data = params(request)?;
    let span = span(asked.start_time, asked.end_time)?;
    let mut results = Vec::new();
    for query in asked.metric_data_queries.iter().filter(|query| query.return_data != Some(false)) {
        let Some(MetricStat { metric, period, stat }) = &query.metric_stat else {
            let what = query.expression.as_deref().unwrap_or("none");
            let text = format!("The embedded cloud computes no expression: {} is {what}.", query.id);
            return Err(ApiError::new("ValidationError", text));
        };
        check_period(*period)?;
        let metric = metric.metric();
        let mut points = Vec::new();
        for (at, samples) in cloudwatch.metrics.periods(&metric, span, *period) {
            points.push((at, samples.statistic(stat).ok_or_else(|| unkept(stat))?));
        }
        // The newest comes first unless the caller asks otherwise (GetMetricData, `ScanBy`).
        if asked.scan_by.as_deref() != Some("TimestampAscending") {
            points.reverse();
        }
        results.push(json!({
            "Id": query.id,
            "Label": query.label.as_ref().unwrap_or(&metric.name),
            "Timestamps": points.iter().map(|(at, _)| at.epoch_secs()).collect::<Vec<_>>(),
            "Values": points.iter().map(|(_, value)| *value).collect::<Vec<_>>(),
            "StatusCode": "Complete",
        }));
    }
    Ok(json!({ "MetricDataResults": results, "Messages": [] }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    namespace: String,
    #[serde(default)]
    metric_data: Vec<Datum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datum {
    #[serde(flatten)]
    named: Named,
    timestamp: Option<f64>,
    value: Option<f64>,
    #[serde(default)]
    values: Vec<f64>,
    #[serde(default)]
    counts: Vec<f64>,
    statistic_values: Option<BTreeMap<String, f64>>,
}

/// How old and how far ahead a datum may be (CloudWatch API, MetricDatum).
const OLDEST_SECS: u64 = 14 * 86_400;
const NEWEST_SECS: u64 = 2 * 3_600;

pub(super) fn put(base: &mut Base, cloudwatch: &mut State, now: Millis, request: &ApiRequest) -> Outcome {
    let asked: Put = params(request)?;
    if asked.namespace.starts_with("AWS/") {
        let text = "The value AWS/ for parameter Namespace is invalid.";
        return Err(ApiError::new(INVALID, text));
    }
    for datum in asked.metric_data {
        let metric = Metric { namespace: asked.namespace.clone(), ..datum.named.metric() };
        let at = datum.timestamp.map_or(now, |secs| Millis((secs.max(0.0) * 1000.0) as u64));
        if at.plus_secs(OLDEST_SECS) < now || at > now.plus_secs(NEWEST_SECS) {
            let text = "The parameter MetricData.member.1.Timestamp must be at most two weeks old and two hours ahead.";
            return Err(ApiError::new(INVALID, text));
        }
        let weighted = |(index, value): (usize, &f64)| {
            let count = datum.counts.get(index).copied().unwrap_or(1.0);
            Samples { count, sum: value * count, minimum: *value, maximum: *value }
        };
        let set = datum.statistic_values.as_ref().and_then(|set| {
            let own = |name: &str| set.get(name).copied();
            let (count, sum) = (own("SampleCount")?, own("Sum")?);
            Some(Samples { count, sum, minimum: own("Minimum")?, maximum: own("Maximum")? })
        });
        let listed = datum.values.iter().enumerate().map(weighted).reduce(Samples::with);
        let samples = datum.value.map(Samples::one).or(set).or(listed).ok_or_else(|| {
            let text = "One of the parameters Value, Values and StatisticValues must be specified";
            ApiError::new("MissingParameter", text)
        })?;
        cloudwatch.metrics.add(at, metric, samples);
    }
    minutes::arm(base, cloudwatch, now);
    Ok(json!({}))
}
