//! Images for the daemon's own tasks: they pull in-process what others pull through the data plane.

use bytes::Bytes;

use super::cloud::Cloud;
use crate::workload::machine::Registry;

impl Registry for Cloud {
    fn manifest(&self, repository: &str, digest: &str) -> Option<Bytes> {
        self.look(|account| account.ecr.manifest(repository, digest)).map(|(_, _, content)| content)
    }

    fn blob(&self, repository: &str, digest: &str) -> Option<Bytes> {
        self.look(|account| account.ecr.blob(repository, digest))
    }
}
