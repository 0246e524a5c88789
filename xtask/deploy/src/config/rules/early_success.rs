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
    for (_, service) in scope.services() {
        let rollout = &service.deployment.value;
        let Some(early) = &rollout.early_success else { continue };
        let (enough, minimum) = (&early.value.healthy_percent, &rollout.minimum_healthy_percent);
        if enough.value < minimum.value {
            found.push(
                Diagnostic::error(RULE.code, "early success with fewer tasks than must stay healthy")
                    .at(enough, format!("{} % are enough", enough.value))
                    .at(minimum, format!("{} % must stay", minimum.value))
                    .note("ECS refuses a `healthyPercent` below `minimumHealthyPercent`"),
            );
        }
    }
}
