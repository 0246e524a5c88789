//! What names a service.

/// A service's place: its name is unique in its cluster only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ServiceKey {
    pub(super) cluster: String,
    pub(super) service: String,
}

impl ServiceKey {
    pub(super) fn new(cluster: &str, service: &str) -> Self {
        Self { cluster: cluster.to_owned(), service: service.to_owned() }
    }
}
