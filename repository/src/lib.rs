//! Tests of this repository as a whole: its layout, documents and workflows. They stand apart from the tool, so that
//! the tool's own tests pass in any repository that it is copied to.

use std::path::Path;

/// The top of the checkout.
///
/// # Panics
/// Never: this package is one folder below it.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is a folder of the checkout")
}
