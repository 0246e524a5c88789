//! A listener rule in normal form: which requests it takes, and what it does with them.
//!
//! ALB semantics (ELB user guide, "Condition types for listener rules"): a request must meet all conditions, and of each
//! condition one value. Patterns know `*` (any text, slashes too) and `?` (one character). Paths are case-sensitive, hosts
//! are not; the query string is no part of the path.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RuleSpec {
    /// 1 to 50000, unique on the listener; the lowest is tried first.
    pub priority: u32,
    /// Sorted; never empty.
    pub conditions: Vec<Condition>,
    pub action: RuleAction,
}

/// What one part of a request must be: one of the values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Condition {
    pub on: ConditionField,
    /// Sorted. Those of a query string are `key=value`, or a value of any key.
    pub values: Vec<String>,
}

/// The part of a request that a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionField {
    Path,
    Host,
    /// By the header's name, in lower case.
    Header(String),
    Method,
    Query,
    SourceIp,
    /// What this tool does not write, such as regular expressions: by AWS's name.
    Other(String),
}

/// What a rule does with a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RuleAction {
    /// To one target group, by its name.
    Forward(String),
    Redirect(RedirectSpec),
    Respond(FixedResponseSpec),
    /// What this tool does not write, such as weights or a login; with the target groups that it leads to.
    Other {
        what: String,
        forwards: Vec<String>,
    },
}

/// `RedirectConfig`. Each part may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}` of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RedirectSpec {
    pub protocol: String,
    pub host: String,
    pub port: String,
    pub path: String,
    pub query: String,
    /// 301 instead of 302.
    pub permanent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FixedResponseSpec {
    pub status: u16,
    pub content_type: Option<String>,
    pub body: Option<String>,
}

impl RuleSpec {
    /// The requests that it takes. A rule is known by them: two rules for the same requests are the same rule.
    pub fn requests(&self) -> String {
        requests(&self.conditions)
    }

    /// The target groups that it leads to, by name.
    pub fn forwards(&self) -> &[String] {
        match &self.action {
            RuleAction::Forward(target_group) => std::slice::from_ref(target_group),
            RuleAction::Other { forwards, .. } => forwards,
            RuleAction::Redirect(_) | RuleAction::Respond(_) => &[],
        }
    }

    /// Whether this tool can write a rule like it.
    pub fn is_writable(&self) -> bool {
        let known = |condition: &Condition| !matches!(condition.on, ConditionField::Other(_));
        !matches!(self.action, RuleAction::Other { .. }) && self.conditions.iter().all(known)
    }
}

/// Such as `100 /api/* → web-tg`.
impl fmt::Display for RuleSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} → {}", self.priority, self.requests(), self.action)
    }
}

impl fmt::Display for RuleAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forward(target_group) => f.write_str(target_group),
            Self::Redirect(RedirectSpec { protocol, host, port, path, query, permanent }) => {
                let status = if *permanent { 301 } else { 302 };
                write!(f, "redirect {status} {protocol}://{host}:{port}{path}?{query}")
            }
            Self::Respond(response) => write!(f, "respond {}", response.status),
            Self::Other { what, forwards } if forwards.is_empty() => f.write_str(what),
            Self::Other { what, forwards } => write!(f, "{} ({what})", forwards.join(", ")),
        }
    }
}

/// The conditions in words: paths alone need none.
pub fn requests(conditions: &[Condition]) -> String {
    let words = conditions.iter().map(|Condition { on, values }| {
        let values = values.join(", ");
        match on {
            ConditionField::Path => values,
            ConditionField::Host => format!("host {values}"),
            ConditionField::Header(name) => format!("header {name}: {values}"),
            ConditionField::Method => format!("method {values}"),
            ConditionField::Query => format!("query {values}"),
            ConditionField::SourceIp => format!("source-ip {values}"),
            ConditionField::Other(name) => format!("{name} {values}"),
        }
    });
    words.collect::<Vec<_>>().join(" · ")
}

/// Conditions in normal form: sorted, and without those that every request meets.
pub fn normal(conditions: Vec<Condition>) -> Vec<Condition> {
    let mut normal: Vec<Condition> = conditions
        .into_iter()
        .filter(|it| !it.is_always_met())
        .map(|Condition { on, mut values }| {
            if on == ConditionField::Host {
                // Hosts are compared without case (ELB user guide, host conditions): two spellings are no difference.
                values.iter_mut().for_each(|host| host.make_ascii_lowercase());
            }
            values.sort();
            values.dedup();
            Condition { on, values }
        })
        .collect();
    // ELB takes no rule without a condition: one that every request meets is written as the path `*`.
    if normal.is_empty() {
        normal.push(Condition { on: ConditionField::Path, values: vec!["*".to_owned()] });
    }
    normal.sort();
    normal
}

impl Condition {
    fn is_always_met(&self) -> bool {
        let all = match self.on {
            ConditionField::Host | ConditionField::Path => "*",
            ConditionField::SourceIp => "0.0.0.0/0",
            _ => return false,
        };
        self.values.iter().any(|value| value == all)
    }

    /// Whether every request that meets `other` meets this one.
    fn covers(&self, other: &Self) -> bool {
        let is_pattern =
            !matches!(self.on, ConditionField::Other(_) | ConditionField::Method | ConditionField::SourceIp);
        let one = |value: &String, wanted: &String| value == wanted || is_pattern && covers(value, wanted);
        self.on == other.on
            && other.values.iter().all(|wanted| self.values.iter().any(|value| one(value, wanted)))
    }
}

/// Whether a rule with the first conditions takes every request that meets the others. Never wrongly true; what would need
/// more than a look at the patterns may be missed.
pub fn takes_all(first: &[Condition], others: &[Condition]) -> bool {
    let every =
        |condition: &Condition| condition.is_always_met() || others.iter().any(|it| condition.covers(it));
    first.iter().all(every)
}

/// A pattern up to its first wildcard: all that it matches begins so.
pub fn beginning(pattern: &str) -> &str {
    pattern.find(['*', '?']).map_or(pattern, |end| &pattern[..end])
}

/// Whether `pattern` matches everything that `other` matches; for an `other` without wildcards: whether it
/// matches that text. Never wrongly true; a contrived pair of patterns may be missed.
pub fn covers(pattern: &str, other: &str) -> bool {
    // Most patterns of a file with many begin with other words.
    if !other.starts_with(beginning(pattern)) {
        return false;
    }
    let (pattern, other): (Vec<char>, Vec<char>) = (pattern.chars().collect(), other.chars().collect());
    // Row by row, `reach[j]`: the pattern so far covers the first j characters of the other.
    let mut reach = vec![false; other.len() + 1];
    reach[0] = true;
    for &wanted in &pattern {
        let mut next = vec![false; other.len() + 1];
        next[0] = wanted == '*' && reach[0];
        for (at, &given) in other.iter().enumerate() {
            next[at + 1] = match wanted {
                '*' => reach[at + 1] || next[at],
                // `*` stands for any length, also none, which `?` does not match.
                '?' => reach[at] && given != '*',
                _ => reach[at] && given == wanted,
            };
        }
        reach = next;
    }
    reach[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(on: ConditionField, values: &[&str]) -> Condition {
        Condition { on, values: values.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn a_pattern_takes_what_an_alb_would_take() {
        for (pattern, path, takes) in [
            ("/api/*", "/api/health", true),
            ("/api/*", "/api/", true),
            ("/api/*", "/api", false),
            ("/api/*", "/API/health", false),
            ("/*", "/", true),
            ("/*", "/a/b/c", true),
            ("*", "", true),
            ("/a?c", "/abc", true),
            ("/a?c", "/ac", false),
            ("/*/health", "/actuator/health", true),
            ("/*/health", "/health", false),
            ("*.html", "/a/b.html", true),
            ("/api/health", "/api/health", true),
            ("/api/health", "/api/healthz", false),
        ] {
            assert_eq!(covers(pattern, path), takes, "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_shadows_another_only_when_it_takes_all_of_it() {
        for (first, second, shadows) in [
            ("/*", "/api/*", true),
            ("/api/*", "/*", false),
            ("/api/*", "/api/v?/*", true),
            ("/api/v?", "/api/v*", false),
            ("/a?", "/a*", false),
            ("/**", "/*", true),
        ] {
            assert_eq!(covers(first, second), shadows, "{first} {second}");
        }
    }

    #[test]
    fn a_condition_that_every_request_meets_is_none() {
        use ConditionField::{Host, Path, SourceIp};
        let (api, all) = (condition(Path, &["/api/*"]), condition(Path, &["*"]));
        let table = [
            (vec![condition(Host, &["*"]), api.clone()], vec![api.clone()]),
            (vec![condition(SourceIp, &["0.0.0.0/0"])], vec![all.clone()]),
            (vec![condition(Host, &["*"]), all.clone()], vec![all]),
            (
                vec![condition(Host, &["B.Example.com", "a.example.com"]), api.clone()],
                vec![api, condition(Host, &["a.example.com", "b.example.com"])],
            ),
        ];
        for (conditions, expected) in table {
            assert_eq!(normal(conditions), expected);
        }
    }

    #[test]
    fn a_rule_shadows_another_only_when_all_its_conditions_are_surely_met() {
        use ConditionField::{Header, Host, Method, Other, Path};
        let (path, host) = (condition(Path, &["/*"]), condition(Host, &["*.example.com"]));
        let (api, app) = (condition(Path, &["/api/*", "/v1/*"]), condition(Host, &["app.example.com"]));
        let get = condition(Method, &["GET", "POST"]);
        let beta = condition(Header("x-beta".into()), &["yes"]);
        let regex = condition(Other("path-pattern regex".into()), &[".*"]);
        for (first, second, shadows) in [
            (vec![path.clone()], vec![api.clone(), app.clone()], true),
            (vec![host.clone()], vec![api.clone(), app.clone()], true),
            (vec![path.clone(), host.clone()], vec![api.clone(), app.clone()], true),
            (vec![path.clone(), host], vec![api.clone()], false),
            (vec![path.clone(), beta.clone()], vec![api.clone()], false),
            (vec![beta.clone()], vec![api.clone(), beta], true),
            (vec![get.clone()], vec![condition(Method, &["GET"])], true),
            (vec![condition(Method, &["GET"])], vec![get], false),
            (vec![condition(Path, &["/api/*"])], vec![api.clone()], false),
            (vec![regex], vec![api], false),
        ] {
            assert_eq!(takes_all(&first, &second), shadows, "{first:?} {second:?}");
        }
    }

    #[test]
    fn a_rule_is_named_by_all_that_it_looks_at() {
        let conditions = normal(vec![
            condition(ConditionField::Host, &["a.example.com"]),
            condition(ConditionField::Header("x-beta".into()), &["yes"]),
            condition(ConditionField::Path, &["/v2/*", "/v1/*"]),
        ]);
        let other = RuleAction::Other { what: "weights".into(), forwards: vec!["a".into(), "b".into()] };
        let rule = RuleSpec { priority: 7, conditions, action: other };
        assert_eq!(
            rule.to_string(),
            "7 /v1/*, /v2/* · host a.example.com · header x-beta: yes → a, b (weights)"
        );
    }
}
