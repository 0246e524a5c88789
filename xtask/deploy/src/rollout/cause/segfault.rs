//! A container ended by SIGSEGV: exit code 139.

use super::{Cause, Evidence, Exit, exits};

pub(super) const CODE: &str = "segfault";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let Exit { what, .. } = exits(evidence).find(|exit| exit.code == 139)?;
    Some(Cause::open(
        CODE,
        format!("{what} crashed with a segmentation fault"),
        "a native library is broken or of another platform than the image",
    ))
}
