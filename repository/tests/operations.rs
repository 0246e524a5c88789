//! `docs/operations.md` lists what the embedded cloud serves.
#![expect(clippy::unwrap_used, reason = "a file that cannot be read must fail")]

use repository::root;

#[test]
fn the_page_lists_the_operations_of_the_embedded_cloud() {
    let page = std::fs::read_to_string(root().join("docs/operations.md")).unwrap();
    assert!(
        page == sim::operations(),
        "docs/operations.md is stale: cargo run -p sim --example operations > docs/operations.md"
    );
}
