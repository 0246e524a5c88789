//! What must be there already is named in a way that EC2 and IAM can find.
//!
//! Source: EC2, Tag: values of up to 256 characters. IAM API, GetRole: `[\w+=,.@-]`, with a path before it in an ARN.

use super::naming::{Naming, any_form};
use super::{Diagnostic, Place, Rule, Scope};
use crate::model::Lookup;

pub(super) const RULE: Rule =
    Rule { code: "lookup-name", about: "Networks and roles have names that EC2 and IAM can find.", check };

const NETWORK: Naming = Naming {
    what: "name or id of a VPC, a subnet or a security group",
    length: 1..=256,
    allowed: |c| !c.is_control(),
    law: "an id, or the `Name` tag: 1 to 256 characters (EC2, tag restrictions)",
    form: any_form,
};

const ROLE: Naming = Naming {
    what: "name or ARN of a role",
    length: 1..=2048,
    allowed: |c| c.is_ascii_alphanumeric() || "_+=,.@-:/".contains(c),
    law: "letters, digits and `_+=,.@-`, or an ARN (IAM API, GetRole)",
    form: any_form,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    let (network, balancer) = (&scope.environment.network, &scope.environment.load_balancer);
    NETWORK.check(RULE.code, network.vpc.text(), scope.at("network.vpc"), found);
    list(&network.subnets, &scope.at("network.subnets"), found);
    list(&balancer.subnets, &scope.at("load-balancer.subnets"), found);
    list(&balancer.security_groups, &scope.at("load-balancer.security-groups"), found);
    for (service, at) in scope.services() {
        list(&service.security_groups, &at.key("security-groups"), found);
        ROLE.check(RULE.code, service.execution_role.text(), at.key("execution-role"), found);
        if let Some(role) = &service.task_role {
            ROLE.check(RULE.code, role.text(), at.key("task-role"), found);
        }
    }
}

fn list(names: &[Lookup], at: &Place<'_>, found: &mut Vec<Diagnostic>) {
    for (name, at) in names.iter().zip(at.entries()) {
        NETWORK.check(RULE.code, name.text(), at, found);
    }
}
