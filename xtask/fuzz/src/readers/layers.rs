//! Layers of an image, as they become a folder.

#[path = "../../../sim/src/workload/machine/unpack.rs"]
mod unpack;
#[path = "../../../sim/src/workload/machine/within.rs"]
mod within;

use std::io;
use std::path::Path;

pub(crate) fn layer(root: &Path, content: &[u8]) -> io::Result<()> {
    // Enough for every archive of a few kilobytes, and little enough for a sparse file that says it has exabytes.
    let mut budget = 1 << 20;
    unpack::layer(root, content, &mut budget)
}
