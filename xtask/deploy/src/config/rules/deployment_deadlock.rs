//! A deployment can start or stop at least one task, at every count that the service may have.
//!
//! Source: ECS API, DeploymentConfiguration: at least ceil(count × minimum %) tasks stay healthy, at most
//! floor(count × maximum %) run. When neither a start nor a stop fits between them, nothing ever moves.

use super::{Diagnostic, Rule, Scope};
use crate::config::percent::{healthy_at_least, running_at_most};

pub(super) const RULE: Rule =
    Rule { code: "deployment-deadlock", about: "A deployment can start or stop at least one task.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let (rollout, desired) = (&service.deployment, service.desired_count);
        let (minimum, maximum) = (rollout.minimum_healthy_percent, rollout.maximum_percent);
        // A bound that is missing is 0.
        let bounds = service.scaling.iter().flat_map(|scaling| [scaling.min, scaling.max]);
        let (least, most) = bounds
            .filter(|bound| *bound != 0)
            .fold((desired, desired), |(least, most), bound| (least.min(bound), most.max(bound)));
        let stuck: Vec<u32> = (least..=most).filter(|&count| !moves(count, minimum, maximum)).collect();
        let Some(&count) = stuck.first() else { continue };
        let keep = healthy_at_least(count, minimum);
        let run = running_at_most(count, maximum);
        found.push(
            Diagnostic::error(RULE.code, "no deployment could ever move")
                .at(
                    at.key("deployment.minimum-healthy-percent"),
                    format!("{minimum} % of {count}, rounded up, is {keep}: none may stop"),
                )
                .at(
                    at.key("deployment.maximum-percent"),
                    format!("{maximum} % of {count}, rounded down, is {run}: none may start"),
                )
                .note(format!("so it is with {}, which the service may have", spelled(&stuck)))
                .help("`minimum-healthy-percent = 100` with `maximum-percent = 200` moves at every count"),
        );
    }
}

/// Whether one task may start beside the old ones or one of these may stop.
fn moves(count: u32, minimum: u32, maximum: u32) -> bool {
    count == 0
        || running_at_most(count, maximum) > u64::from(count)
        || healthy_at_least(count, minimum) < u64::from(count)
}

fn tasks(count: u32) -> String {
    if count == 1 { "1 task".to_owned() } else { format!("{count} tasks") }
}

fn spelled(stuck: &[u32]) -> String {
    match stuck {
        [only] => tasks(*only),
        [first, .., last] if stuck.len() == (last - first) as usize + 1 => format!("{first} to {last} tasks"),
        _ => format!("{} tasks", stuck.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_awss_and_not_ours() {
        for (count, minimum, maximum, expected) in [
            (1, 100, 100, false),
            (1, 100, 200, true),
            (1, 0, 100, true),
            (2, 75, 100, false),
            (2, 50, 100, true),
            (3, 100, 125, false),
            (4, 100, 125, true),
            (10, 91, 109, false),
        ] {
            assert_eq!(moves(count, minimum, maximum), expected, "{count} {minimum} {maximum}");
        }
    }
}
