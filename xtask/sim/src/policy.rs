//! An IAM policy that the account enforces: a rule that denies every call whose action no statement allows.
//!
//! It checks actions, not resources and conditions; what calls bring with them is checked where the embedded cloud sees
//! it: roles that are passed, resources that are tagged as they are made.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fault::{Call, Fault, Rule, Surface};
use crate::wire::Api;

/// The actions that a policy allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    actions: BTreeSet<String>,
}

impl Policy {
    /// The policy of a document. What it does not understand allows nothing.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let statements = document["Statement"].as_array().map(Vec::as_slice).unwrap_or_default();
        let allowed = statements.iter().filter(|statement| statement["Effect"] == "Allow");
        let actions = allowed.flat_map(|statement| match &statement["Action"] {
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            Value::String(one) => vec![one.as_str()],
            _ => Vec::new(),
        });
        Self { actions: actions.map(str::to_owned).collect() }
    }

    /// All its actions.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(String::as_str)
    }

    /// The same without one action.
    #[must_use]
    pub fn without(&self, action: &str) -> Self {
        let actions = self.actions.iter().filter(|allowed| *allowed != action).cloned().collect();
        Self { actions }
    }

    fn allows(&self, action: &str) -> bool {
        self.actions.contains(action)
    }
}

impl Rule for Policy {
    fn on_call(&mut self, call: &Call<'_>) -> Option<Fault> {
        let Surface::Api(api) = call.surface else { return None };
        // Everybody may ask who they are (IAM user guide, GetCallerIdentity).
        let free = api == Api::Sts;
        (!free && !self.allows(&format!("{}:{}", prefix(api), call.operation))).then_some(Fault::AccessDenied)
    }
}

fn prefix(api: Api) -> String {
    Surface::Api(api).to_string()
}
