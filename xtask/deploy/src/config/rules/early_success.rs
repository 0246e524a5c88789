//! A deployment is not called successful with fewer healthy tasks than must stay healthy while it rolls.
//!
//! Source: ECS API, DeploymentConfiguration: "healthyPercent must be greater than or equal to minimumHealthyPercent".

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule {
    code: "early-success",
    about: "Early success takes at least as many healthy tasks as must stay healthy.",
    check,
};

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (rollout, at) = (&service.deployment, at.key("deployment"));
        let Some(early) = &rollout.early_success else { continue };
        let (enough, minimum) = (early.healthy_percent, rollout.minimum_healthy_percent);
        if enough < minimum {
            found.push(
                Diagnostic::error(RULE.code, "early success with fewer tasks than must stay healthy")
                    .at(at.key("early-success.healthy-percent"), format!("{enough} % are enough"))
                    .at(at.key("minimum-healthy-percent"), format!("{minimum} % must stay"))
                    .note("ECS refuses a `healthyPercent` below `minimumHealthyPercent`"),
            );
        }
    }
}
