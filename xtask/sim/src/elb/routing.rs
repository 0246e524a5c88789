//! Which targets a request to a listener may go to.

use crate::account::Account;
use crate::workload::TaskId;

/// Where a request to a listener goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To one of these targets; none means HTTP 503.
    Forward {
        /// The target group's ARN.
        target_group: String,
        /// Those that may get it: the healthy ones, or all that are registered when none is healthy.
        targets: Vec<RouteTarget>,
    },
    /// The load balancer answers by itself.
    Fixed {
        /// The HTTP status.
        status: u16,
        /// The content type.
        content_type: String,
        /// The body.
        body: String,
    },
    /// A redirect.
    Redirect {
        /// 301 or 302.
        status: u16,
        /// The `Location` header's value.
        location: String,
    },
    /// Nobody listens at that port.
    NoListener,
}

/// A target that a request may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTarget {
    /// The task.
    pub task: TaskId,
    /// The container port.
    pub port: u16,
}

/// Where a request with this method, `Host` header and request target (path and query) to `listener_port` goes.
#[must_use]
pub fn route(_account: &Account, _listener_port: u16, _method: &str, _host: &str, _target: &str) -> Route {
    Route::NoListener
}

/// The ports of all listeners, ascending.
#[must_use]
pub fn listener_ports(_account: &Account) -> Vec<u16> {
    Vec::new()
}
