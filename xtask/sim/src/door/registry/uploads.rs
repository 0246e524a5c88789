//! Blobs that are on their way: an upload collects chunks until its digest is named.

use std::collections::VecDeque;

use super::refusal;
use crate::ecr::RegistryError;
use bytes::{Bytes, BytesMut};

/// Abandoned uploads are forgotten, oldest first, beyond this many.
const MOST_UPLOADS: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Uploads(VecDeque<Upload>);

#[derive(Debug)]
struct Upload {
    repository: String,
    id: String,
    content: BytesMut,
}

impl Uploads {
    pub(super) fn begin(&mut self, repository: &str, id: &str) {
        if self.0.len() == MOST_UPLOADS {
            self.0.pop_front();
        }
        self.0.push_back(Upload {
            repository: repository.to_owned(),
            id: id.to_owned(),
            content: BytesMut::new(),
        });
    }

    fn position(&self, repository: &str, id: &str) -> Result<usize, RegistryError> {
        self.0
            .iter()
            .position(|upload| upload.repository == repository && upload.id == id)
            .ok_or_else(|| refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"))
    }

    /// Adds a chunk; gives the upload's length. A chunk that names where it starts has to start at the end.
    pub(super) fn append(
        &mut self,
        repository: &str,
        id: &str,
        content_range: Option<&str>,
        chunk: &[u8],
    ) -> Result<usize, RegistryError> {
        let at = self.position(repository, id)?;
        let content = &mut self.0[at].content;
        let start = content_range
            .and_then(|range| range.trim_start_matches("bytes ").split('-').next()?.parse().ok());
        if start.is_some_and(|start: usize| start != content.len()) {
            let message = format!("the next chunk starts at {}", content.len());
            return Err(refusal(416, "BLOB_UPLOAD_INVALID", &message));
        }
        content.extend_from_slice(chunk);
        Ok(content.len())
    }

    pub(super) fn length(&self, repository: &str, id: &str) -> Result<usize, RegistryError> {
        Ok(self.0[self.position(repository, id)?].content.len())
    }

    /// Ends the upload and gives what came.
    pub(super) fn take(&mut self, repository: &str, id: &str) -> Result<Bytes, RegistryError> {
        let at = self.position(repository, id)?;
        let upload = self.0.remove(at);
        Ok(upload.map(|upload| upload.content.freeze()).unwrap_or_default())
    }
}
