//! What the tests of several doors share: calls without a client, applications to call.

pub(super) mod raw;
pub(super) mod stage;
