//! Editors read the schema that the code checks by.

use std::path::Path;

use deploy::config;

#[test]
fn an_editor_completes_by_the_schema_that_the_code_checks_by() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy.schema.json");
    assert!(
        std::fs::read_to_string(file).unwrap() == config::schema(),
        "deploy.schema.json is stale: cargo run -p deploy --example schema > xtask/deploy/deploy.schema.json"
    );
}
