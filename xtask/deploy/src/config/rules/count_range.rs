//! min ≤ desired ≤ max.
//!
//! Source: Application Auto Scaling, RegisterScalableTarget: a desired count outside is moved inside at once,
//! so the file would say one thing and the account another.

use super::{Diagnostic, Rule, Scope};

pub(super) const RULE: Rule = Rule { code: "count-range", about: "min ≤ desired ≤ max.", check };

fn check(scope: &Scope<'_>, found: &mut Vec<Diagnostic>) {
    for (service, at) in scope.services() {
        let Some(scaling) = &service.scaling else { continue };
        let (min_at, max_at) = (at.key("scaling.min"), at.key("scaling.max"));
        let min = min_at.written().then_some(scaling.min);
        let max = max_at.written().then_some(scaling.max);
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            found.push(
                Diagnostic::error(RULE.code, "scaling has more tasks at least than at most")
                    .at(min_at, format!("at least {min}"))
                    .at(max_at, format!("at most {max}")),
            );
            continue;
        }
        let desired = service.desired_count;
        let below = min.filter(|min| desired < *min).map(|min| (min, min_at, "min"));
        let above = max.filter(|max| desired > *max).map(|max| (max, max_at, "max"));
        if let Some((bound, place, name)) = below.or(above) {
            found.push(
                Diagnostic::error(RULE.code, "the desired count is outside the scaling range")
                    .at(at.key("desired-count"), format!("`desired-count` is {desired}"))
                    .at(place, format!("`{name}` is {bound}"))
                    .note("Application Auto Scaling moves the count inside the range as soon as it is registered"),
            );
        }
    }
}
