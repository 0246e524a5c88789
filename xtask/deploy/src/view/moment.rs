//! What the roll of a service did just before a moment.

use super::{Detail, line};
use crate::event::{Availability, Event, Kind};
use crate::model::ServiceKey;

/// Annotates each failed request with the last rollout event of its service.
pub fn place(availability: &mut Availability, events: &[Event]) {
    for miss in &mut availability.misses {
        let before = events.iter().rev().filter(|event| event.at_ms <= miss.at_ms);
        let last = before.into_iter().find(|event| about(&event.kind, &miss.service));
        miss.after = last.and_then(|event| {
            let text = line(event, Detail::Verbose)?;
            Some((text.lines().next()?.trim().to_owned(), miss.at_ms - event.at_ms))
        });
    }
}

fn about(kind: &Kind, key: &ServiceKey) -> bool {
    match kind {
        Kind::Following { service, .. }
        | Kind::Rolling { service, .. }
        | Kind::TasksMoved { service, .. }
        | Kind::ServiceSaid { service, .. }
        | Kind::Settled { service, .. } => service == key,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ProbeAnswer;

    #[test]
    fn a_failed_request_names_the_last_event_of_its_own_service() {
        let said = |at_ms, name: &str, message: &str| Event {
            seq: at_ms,
            at_ms,
            kind: Kind::ServiceSaid {
                service: ServiceKey(name.to_owned()),
                message: message.to_owned(),
                times: 1,
            },
        };
        let events = [
            said(1_000, "backend", "has stopped 1 running tasks"),
            said(2_000, "frontend", "has begun draining"),
            said(9_000, "backend", "later"),
        ];
        let mut availability = Availability::default();
        let key = ServiceKey("backend".to_owned());
        let answer = ProbeAnswer::Status { status: 503, body: String::new() };
        availability.count(&key, "http://alb/", 3_500, 10, answer.clone());
        availability.count(&key, "http://alb/", 500, 10, answer);
        place(&mut availability, &events);
        let after: Vec<_> =
            availability.misses.iter().map(|miss| miss.after.as_ref().map(|it| it.1)).collect();
        assert_eq!(after, [Some(2_500), None]);
    }
}
