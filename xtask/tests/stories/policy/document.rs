//! An IAM policy that the account enforces: a rule that denies every call which no statement allows on what it names.
//!
//! What calls bring with them is checked where the embedded cloud sees it: roles that are passed, resources that are tagged
//! as they are made. Of conditions it knows `ecs:cluster`; a statement with another one allows nothing.

use std::collections::BTreeSet;

use serde_json::Value;
use sim::fault::{Call, Fault, Rule, Surface};
use sim::testing::{Api, wildcard};

use super::named::{ANY, Place, texts};

/// What a policy allows, to callers of one account and region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    place: Place,
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    actions: BTreeSet<String>,
    /// ARNs, in which `*` matches any characters.
    resources: Vec<String>,
    /// The clusters of the condition `ecs:cluster`; `None` without a condition.
    clusters: Option<Vec<String>>,
}

impl Policy {
    /// The policy of a document. What it does not understand allows nothing.
    pub(crate) fn of(document: &Value, place: Place) -> Self {
        let statements = document["Statement"].as_array().map(Vec::as_slice).unwrap_or_default();
        Self { place, statements: statements.iter().filter_map(Statement::of).collect() }
    }

    pub(crate) fn actions(&self) -> impl Iterator<Item = &str> {
        let all: BTreeSet<&str> =
            self.statements.iter().flat_map(|it| &it.actions).map(String::as_str).collect();
        all.into_iter()
    }

    /// The same without one action.
    pub(crate) fn without(&self, action: &str) -> Self {
        let mut policy = self.clone();
        for statement in &mut policy.statements {
            statement.actions.remove(action);
        }
        policy
    }

    fn allows(&self, action: &str, resource: &str, cluster: Option<&str>) -> bool {
        self.statements.iter().any(|it| it.allows(action, resource, cluster))
    }
}

impl Statement {
    fn of(statement: &Value) -> Option<Self> {
        let clusters = match statement.get("Condition") {
            None => None,
            Some(condition) => {
                let known = &condition["ArnEquals"]["ecs:cluster"];
                let alone = condition.as_object().is_some_and(|all| all.len() == 1);
                let clusters = texts(known);
                Some(if alone { clusters } else { Vec::new() })
                    .filter(|clusters| !clusters.is_empty())?
                    .into()
            }
        };
        (statement["Effect"] == "Allow").then(|| Self {
            actions: texts(&statement["Action"]).into_iter().collect(),
            resources: texts(&statement["Resource"]),
            clusters,
        })
    }

    fn allows(&self, action: &str, resource: &str, cluster: Option<&str>) -> bool {
        let within =
            |clusters: &Vec<String>| cluster.is_some_and(|cluster| clusters.iter().any(|it| it == cluster));
        self.actions.contains(action)
            && self.resources.iter().any(|pattern| wildcard(pattern, resource))
            && self.clusters.as_ref().is_none_or(within)
    }
}

impl Rule for Policy {
    fn on_call(&mut self, call: &Call<'_>) -> Option<Fault> {
        let Surface::Api(api) = call.surface else { return None };
        // Everybody may ask who they are (IAM user guide, GetCallerIdentity).
        if api == Api::Sts {
            return None;
        }
        let action = format!("{}:{}", call.surface, call.operation);
        let (named, cluster) = match call.request {
            Some(request) => (self.place.named(request), self.place.cluster(request)),
            None => (vec![ANY.to_owned()], None),
        };
        let denied =
            named.into_iter().find(|resource| !self.allows(&action, resource, cluster.as_deref()))?;
        Some(Fault::AccessDeniedOn(denied))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sim::testing::ApiRequest;

    use super::*;

    fn fault(policy: &Policy, operation: &str, params: Value) -> Option<Fault> {
        let operation = operation.to_owned();
        let request = ApiRequest { api: Api::Ecs, operation, params, access_key: None, region: None };
        policy.clone().on_call(&Call::of(&request))
    }

    fn policy(statement: &Value) -> Policy {
        let place = Place { region: "eu-west-1".to_owned(), account: "1".to_owned() };
        Policy::of(&json!({ "Statement": [statement] }), place)
    }

    #[test]
    fn a_right_on_one_service_is_none_on_another_and_the_refusal_names_it() {
        let own = "arn:aws:ecs:eu-west-1:1:service/prod/web";
        let policy = policy(
            &json!({ "Effect": "Allow", "Action": ["ecs:UpdateService", "ecs:DescribeServices"], "Resource": own }),
        );
        let update =
            |service: &str| fault(&policy, "UpdateService", json!({ "cluster": "prod", "service": service }));
        assert_eq!(update("web"), None);
        assert_eq!(update(own), None);
        let theirs = "arn:aws:ecs:eu-west-1:1:service/prod/shop".to_owned();
        assert_eq!(update("shop"), Some(Fault::AccessDeniedOn(theirs.clone())));
        let both = json!({ "cluster": "arn:aws:ecs:eu-west-1:1:cluster/prod", "services": ["web", "shop"] });
        assert_eq!(fault(&policy, "DescribeServices", both), Some(Fault::AccessDeniedOn(theirs)));
        let delete = fault(&policy, "DeleteService", json!({ "cluster": "prod", "service": "web" }));
        assert_eq!(delete, Some(Fault::AccessDeniedOn(own.to_owned())));
        let list = fault(&policy, "ListTaskDefinitions", json!({}));
        assert_eq!(list, Some(Fault::AccessDeniedOn("*".to_owned())));
    }

    #[test]
    fn a_condition_that_is_not_understood_allows_nothing() {
        let list = |condition: Value, cluster: &str| {
            let policy = policy(
                &json!({ "Effect": "Allow", "Action": "ecs:ListTasks", "Resource": "*", "Condition": condition }),
            );
            fault(&policy, "ListTasks", json!({ "cluster": cluster, "serviceName": "web" })).is_none()
        };
        let known = || json!({ "ArnEquals": { "ecs:cluster": "arn:aws:ecs:eu-west-1:1:cluster/prod" } });
        assert!(list(known(), "prod"));
        assert!(!list(known(), "test"));
        assert!(!list(json!({ "StringEquals": { "aws:RequestedRegion": "eu-west-1" } }), "prod"));
        let mut more = known();
        more["Bool"] = json!({ "aws:SecureTransport": "true" });
        assert!(!list(more, "prod"));
    }
}
