//! What must be there already is named in a way that EC2 and IAM can find.
//!
//! Source: EC2, Tag: values of up to 256 characters. IAM API, GetRole: `[\w+=,.@-]`, with a path before it in an ARN.

use super::naming::{Naming, any_form};
use super::{Diagnostic, Rule, Scope};

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
    let settings = scope.settings;
    let lists = [
        &settings.network.value.subnets,
        &settings.load_balancer.value.subnets,
        &settings.load_balancer.value.security_groups,
    ];
    let services: Vec<_> = scope.services().map(|(_, service)| service).collect();
    let of_services = services.iter().map(|service| &service.security_groups);
    let listed = lists.into_iter().chain(of_services).flatten().flat_map(|list| &list.value);
    for name in settings.network.value.vpc.iter().chain(listed) {
        NETWORK.check(RULE.code, name, found);
    }
    for role in services.iter().flat_map(|service| service.execution_role.iter().chain(&service.task_role)) {
        ROLE.check(RULE.code, role, found);
    }
}
