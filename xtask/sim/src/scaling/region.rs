//! What scaling works with in an account: its own state, and that of its peers.

use super::state::State;
use crate::base::Base;
use crate::{cloudwatch, ecs, elb};

pub(crate) struct Region<'a> {
    pub(crate) base: &'a mut Base,
    pub(crate) scaling: &'a mut State,
    pub(crate) ecs: &'a mut ecs::State,
    pub(crate) elb: &'a elb::State,
    pub(crate) cloudwatch: &'a mut cloudwatch::State,
}
