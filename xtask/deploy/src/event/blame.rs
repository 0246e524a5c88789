//! Why a command failed, gathered for its last lines.

use serde::Serialize;

use super::{Event, Kind};
use crate::model::ServiceKey;
use crate::rollout::Cause;

/// Why a service's deployment failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Blame {
    pub service: ServiceKey,
    #[serde(flatten)]
    pub cause: Cause,
}

/// The cause of each service that failed, the last one that was found.
pub fn blamed(events: &[Event]) -> Vec<Blame> {
    let mut causes: Vec<Blame> = Vec::new();
    for event in events {
        let (service, cause) = match &event.kind {
            Kind::Explained { service, cause } => (service, cause),
            Kind::Diagnosed { service, diagnosis } => match &diagnosis.cause {
                Some(cause) => (service, cause),
                None => continue,
            },
            _ => continue,
        };
        causes.retain(|known| known.service != *service);
        causes.push(Blame { service: service.clone(), cause: cause.clone() });
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::Diagnosis;

    #[test]
    fn the_last_cause_of_each_service_is_named_once() {
        let cause = |code| Cause { code, cause: code.into(), remedy: String::new(), plain: true };
        let key = |name: &str| ServiceKey(name.to_owned());
        let kinds = [
            Kind::Explained { service: key("backend"), cause: cause("early") },
            Kind::Diagnosed { service: key("frontend"), diagnosis: Box::default() },
            Kind::Diagnosed {
                service: key("backend"),
                diagnosis: Box::new(Diagnosis { cause: Some(cause("late")), ..Diagnosis::default() }),
            },
        ];
        let events: Vec<_> = kinds.into_iter().map(|kind| Event { seq: 1, at_ms: 0, kind }).collect();
        assert_eq!(blamed(&events), [Blame { service: key("backend"), cause: cause("late") }]);
    }
}
