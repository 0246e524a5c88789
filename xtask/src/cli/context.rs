//! What a verb passes to the release that it carries out.

use std::collections::BTreeMap;

use deploy::model::ServiceKey;
use deploy::plan::Order;

use super::Job;
use super::session::Session;
use crate::image::Image;
use crate::release::{Claim, ReleaseContext};

/// The context of a deploy; other verbs change what they do otherwise.
pub(super) fn release_context<'a>(
    job: &Job<'a>,
    session: &'a Session,
    images: &'a BTreeMap<ServiceKey, Image>,
    claim: &'a Claim,
) -> ReleaseContext<'a> {
    ReleaseContext {
        host: job.host,
        aws: &session.aws,
        events: job.events,
        environment: &session.settings.environment,
        images,
        registry: job.host.env.get("XTASK_REGISTRY_URL"),
        door: session.door.as_ref(),
        halt: job.halt,
        roll_back: !job.global.no_rollback,
        detach: false,
        // No endpoint changes on a way back, so no service has to wait for another.
        order: Order::Together,
        claim,
    }
}
