//! The fault vocabulary: what can go wrong between a caller and the account, as rules over calls.
//!
//! A [`Rule`] looks at a [`Call`] and says which [`Fault`], if any, befalls it; the first rule that names one
//! wins. Closures are rules; [`On`] covers the usual ones. Faults of the tasks themselves are not here: they are
//! scripts of the scripted workload.

mod late;

use std::ops::RangeInclusive;

pub use late::Lateness;

use crate::wire::{Api, ApiError, ApiRequest};

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Surface {
    Api(Api),
    /// The registry's data plane (`/v2/`).
    Registry,
    /// Nothing that the account knows: the request could not be decoded.
    Unrecognised,
}

impl PartialEq<Api> for Surface {
    fn eq(&self, api: &Api) -> bool {
        *self == Self::Api(*api)
    }
}

impl std::fmt::Display for Surface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Api(api) => api.name(),
            Self::Registry => "registry",
            Self::Unrecognised => "-",
        })
    }
}

/// A call as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    pub surface: Surface,
    /// The operation's name, such as `CreateService`; in the registry the method and the kind, such as `PUT manifests`.
    pub operation: &'a str,
    /// Whether it may change anything.
    pub write: bool,
    /// What is asked of an API; `None` for other surfaces.
    pub request: Option<&'a ApiRequest>,
}

impl<'a> Call<'a> {
    pub fn new(surface: Surface, operation: &'a str) -> Self {
        Self { surface, operation, write: is_write(surface, operation), request: None }
    }

    /// The call that an API's request is.
    pub fn of(request: &'a ApiRequest) -> Self {
        Self { request: Some(request), ..Self::new(Surface::Api(request.api), &request.operation) }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// `ThrottlingException` (query services: `Throttling`), "Rate exceeded", HTTP 400 as AWS has it.
    Throttle,
    /// The service failed with this status (500 or 503) before it did anything.
    ServerError(u16),
    /// The request takes this many milliseconds longer to arrive.
    Delay(u64),
    Refuse,
    /// The connection breaks before the request arrives: nothing happens.
    LoseRequest,
    /// The connection breaks before the reply arrives: what was asked has happened.
    LoseReply,
    /// A gateway answers success without a body. What was asked has happened.
    EmptyReply,
    /// A read answers what the same read answered before the last write, if it was ever asked then.
    StaleRead,
    /// A read answers what the same read answered this many milliseconds ago, if it was ever asked by then: a replica
    /// that lags. Reads of different lag go backwards.
    LaggingRead(u64),
    /// What has this name is left out of the reply. ECS's describing calls list it under `failures` as `MISSING`.
    Unseen(String),
    /// The service answers this error.
    Error(ApiError),
    /// Something in between answers, such as a proxy's HTML page or an empty body.
    Status {
        code: u16,
        body: String,
        /// Its `Content-Type`; none is sent when empty.
        content_type: String,
    },
    /// The caller's policy does not allow the action.
    AccessDenied,
    /// The caller's policy does not allow the action on what has this ARN.
    AccessDeniedOn(String),
    /// The caller's security token is too old.
    ExpiredToken,
}

/// Says what befalls a call; asked for every call, in the order the rules were added, until one names a fault.
pub trait Rule: Send {
    /// The fault for this call; `None` lets it pass.
    fn on_call(&mut self, call: &Call<'_>) -> Option<Fault>;
}

impl<F: FnMut(&Call<'_>) -> Option<Fault> + Send> Rule for F {
    fn on_call(&mut self, call: &Call<'_>) -> Option<Fault> {
        self(call)
    }
}

/// A rule by surface, operation, kind and count: `On::operation("CreateService").nth(1..=2).then(Fault::Throttle)`.
#[derive(Clone, Debug)]
pub struct On {
    surface: Option<Surface>,
    operation: Option<String>,
    write: Option<bool>,
    nth: RangeInclusive<u64>,
    seen: u64,
    fault: Fault,
}

impl On {
    pub fn any() -> Self {
        Self {
            surface: None,
            operation: None,
            write: None,
            nth: 1..=u64::MAX,
            seen: 0,
            fault: Fault::Throttle,
        }
    }

    /// Every call of this API.
    pub fn api(api: Api) -> Self {
        Self { surface: Some(Surface::Api(api)), ..Self::any() }
    }

    /// Every call of the registry's data plane.
    pub fn registry() -> Self {
        Self { surface: Some(Surface::Registry), ..Self::any() }
    }

    /// Every call of this operation, whichever API has it.
    pub fn operation(name: &str) -> Self {
        Self { operation: Some(name.to_owned()), ..Self::any() }
    }

    /// Only calls that may change something.
    pub fn writes(mut self) -> Self {
        self.write = Some(true);
        self
    }

    /// Only calls that cannot change anything.
    pub fn reads(mut self) -> Self {
        self.write = Some(false);
        self
    }

    /// Only these of the calls that match otherwise, counted from 1.
    pub fn nth(mut self, nth: RangeInclusive<u64>) -> Self {
        self.nth = nth;
        self
    }

    pub fn then(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }

    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl Rule for On {
    fn on_call(&mut self, call: &Call<'_>) -> Option<Fault> {
        let matches = self.surface.is_none_or(|surface| surface == call.surface)
            && self.operation.as_ref().is_none_or(|operation| operation == call.operation)
            && self.write.is_none_or(|write| write == call.write);
        if !matches {
            return None;
        }
        self.seen += 1;
        self.nth.contains(&self.seen).then(|| self.fault.clone())
    }
}

/// The verbs that AWS gives to operations that change nothing, and the registry's.
const READS: &[&str] = &[
    "Describe",
    "List",
    "Get",
    "BatchGet",
    "BatchCheck",
    "Filter",
    "Simulate",
    "ExecuteCommand",
    "HEAD ",
    "GET ",
];

/// Whether an operation may change anything. What is not known to be a read counts as a write.
pub(crate) fn is_write(surface: Surface, operation: &str) -> bool {
    surface != Surface::Unrecognised && !READS.iter().any(|verb| operation.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &str) -> Call<'_> {
        Call::new(Surface::Api(Api::Ecs), operation)
    }

    #[test]
    fn a_read_never_counts_as_a_write_nor_the_other_way_round() {
        for (operation, write) in [
            ("DescribeServices", false),
            ("ListTasks", false),
            ("GetAuthorizationToken", false),
            ("BatchGetImage", false),
            ("BatchCheckLayerAvailability", false),
            ("FilterLogEvents", false),
            ("HEAD blobs", false),
            ("CreateService", true),
            ("BatchDeleteImage", true),
            ("PutScalingPolicy", true),
            ("TagResource", true),
            ("POST uploads", true),
        ] {
            assert_eq!(is_write(Surface::Api(Api::Ecs), operation), write, "{operation}");
        }
    }

    #[test]
    fn a_rule_counts_only_the_calls_that_match_it() {
        let mut rule = On::operation("CreateService").nth(2..=2).then(Fault::LoseReply);
        let fates: Vec<bool> = ["CreateService", "ListTasks", "CreateService", "CreateService"]
            .iter()
            .map(|operation| rule.on_call(&call(operation)).is_some())
            .collect();
        assert_eq!(fates, [false, false, true, false]);
    }

    #[test]
    fn kind_and_surface_narrow_a_rule() {
        let mut writes = On::api(Api::Ecs).writes().then(Fault::Refuse);
        assert_eq!(writes.on_call(&call("DescribeServices")), None);
        assert_eq!(writes.on_call(&Call::new(Surface::Api(Api::Ecr), "PutImage")), None);
        assert_eq!(writes.on_call(&call("UpdateService")), Some(Fault::Refuse));
        let mut reads = On::any().reads().then(Fault::StaleRead);
        assert_eq!(reads.on_call(&Call::new(Surface::Registry, "PUT manifests")), None);
        assert_eq!(reads.on_call(&Call::new(Surface::Registry, "HEAD blobs")), Some(Fault::StaleRead));
    }
}
