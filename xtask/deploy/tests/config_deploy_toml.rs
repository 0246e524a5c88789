//! The repository's own `deploy.toml` loads, whatever it says, and editors read the schema that the code checks by.

use std::path::Path;

use deploy::config;

#[test]
fn every_environment_of_the_file_loads_and_the_schema_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("deploy.toml")).unwrap();
    let file: toml::Table = toml::from_str(&text).unwrap();
    for name in file["env"].as_table().unwrap().keys() {
        config::load("deploy.toml", &text, Some(name)).map_err(|report| report.render(false)).unwrap();
    }
    config::load("deploy.toml", &text, None).map_err(|report| report.render(false)).unwrap();
    assert_eq!(text.lines().next(), Some("#:schema ./xtask/deploy/deploy.schema.json"));
    assert!(
        std::fs::read_to_string(root.join("xtask/deploy/deploy.schema.json")).unwrap() == config::schema(),
        "deploy.schema.json is stale: cargo run -p deploy --example schema > xtask/deploy/deploy.schema.json"
    );
}
