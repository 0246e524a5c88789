//! What `doctor` finds: facts about an account and this machine, judged as a tree of named checks.
//!
//! What could not be read is unknown, and never OK.

mod account;
mod facts;
mod firewall;
mod front;
mod limits;
mod roles;
mod routes;
#[cfg(test)]
mod tests;
mod zone;

use schemars::JsonSchema;
use serde::Serialize;

pub use facts::{
    Balancer, Certificate, Decision, Endpoint, Fact, Facts, FirewallRule, Landing, MissingThing, Names,
    Route, RouteTable, SecurityGroup, Subnet, TargetGroups, TaskRole, Unread,
};
pub use limits::Quota;

use crate::model::Environment;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Ok,
    Unknown,
    Warn,
    Fail,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Fail, Self::Warn, Self::Unknown, Self::Ok];

    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Unknown => "UNKNOWN",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}

/// One question, and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    pub name: String,
    pub state: State,
    /// What was seen.
    pub evidence: String,
    /// One thing to do; none where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Check {
    fn ok(name: impl Into<String>, evidence: impl Into<String>) -> Self {
        Self { name: name.into(), state: State::Ok, evidence: evidence.into(), remedy: None }
    }

    fn not(
        state: State,
        name: impl Into<String>,
        evidence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), state, evidence: evidence.into(), remedy: Some(remedy.into()) }
    }

    fn fail(name: impl Into<String>, evidence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::not(State::Fail, name, evidence, remedy)
    }

    fn warn(name: impl Into<String>, evidence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::not(State::Warn, name, evidence, remedy)
    }

    fn unknown(name: impl Into<String>, unread: &Unread) -> Self {
        let (evidence, remedy) = (unread.why.clone(), unread.remedy.clone());
        Self { name: name.into(), state: State::Unknown, evidence, remedy }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Group {
    pub name: &'static str,
    pub checks: Vec<Check>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    pub environment: String,
    pub groups: Vec<Group>,
}

impl Report {
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.groups.iter().flat_map(|group| &group.checks)
    }

    pub fn count(&self, state: State) -> usize {
        self.checks().filter(|check| check.state == state).count()
    }
}

/// Judges what was read. Without the right account, and without credentials, nothing of the account was asked.
pub fn judge(environment: &Environment, facts: &Facts) -> Report {
    let groups = [
        ("account", account::checks(environment, facts)),
        ("landing zone", zone::checks(environment, facts)),
        ("routes", routes::checks(environment, facts)),
        ("security groups", firewall::checks(environment, facts)),
        ("roles", roles::roles(environment, facts)),
        ("secrets", roles::secrets(environment, facts)),
        ("public name", front::checks(environment, facts)),
        ("quotas", limits::checks(environment, facts)),
        ("this machine", account::machine(facts)),
    ];
    let groups = groups.into_iter().filter(|(_, checks)| !checks.is_empty());
    let groups = groups.map(|(name, checks)| Group { name, checks }).collect();
    Report { environment: environment.name.clone(), groups }
}
