//! The schemas that are checked in are those of the code.

use std::path::Path;

use deploy::{config, output};

#[test]
fn an_editor_completes_by_the_schema_that_the_code_checks_by() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy.schema.json");
    assert!(
        std::fs::read_to_string(file).unwrap() == config::schema(),
        "deploy.schema.json is stale: cargo run -p deploy --example schema > xtask/deploy/deploy.schema.json"
    );
}

#[test]
fn programs_read_what_is_printed_by_the_schema_of_its_types() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("output.schema.json");
    assert!(
        std::fs::read_to_string(file).unwrap() == output::schema(),
        "output.schema.json is stale: cargo run -p deploy --example output_schema > xtask/deploy/output.schema.json"
    );
}
