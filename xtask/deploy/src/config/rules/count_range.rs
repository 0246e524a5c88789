//! min ≤ desired ≤ max.
//!
//! Source: Application Auto Scaling, RegisterScalableTarget: a desired count outside is moved inside at once,
//! so the file would say one thing and the account another.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule { code: "count-range", about: "min ≤ desired ≤ max.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (_, service) in scope.services() {
        let Some(scaling) = &service.scaling else { continue };
        let (desired, min, max) = (&service.desired_count, &scaling.value.min, &scaling.value.max);
        if let (Some(min), Some(max)) = (min, max)
            && min.value > max.value
        {
            found.push(
                Diagnostic::error(RULE.code, "scaling has more tasks at least than at most")
                    .at(min, format!("at least {}", min.value))
                    .at(max, format!("at most {}", max.value)),
            );
            continue;
        }
        let below = min.as_ref().filter(|min| desired.value < min.value).map(|min| (min, "min"));
        let above = max.as_ref().filter(|max| desired.value > max.value).map(|max| (max, "max"));
        if let Some((bound, name)) = below.or(above) {
            found.push(
                Diagnostic::error(RULE.code, "the desired count is outside the scaling range")
                    .at(desired, format!("`desired-count` is {}", desired.value))
                    .at(bound, format!("`{name}` is {}", bound.value))
                    .note("Application Auto Scaling moves the count inside the range as soon as it is registered"),
            );
        }
    }
}
