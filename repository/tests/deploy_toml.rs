//! The repository's own `deploy.toml` loads, whatever it says.
#![expect(clippy::unwrap_used, reason = "a file that cannot be read must fail")]

use deploy::config;
use repository::root;

#[test]
fn every_environment_of_the_file_loads() {
    let text = std::fs::read_to_string(root().join("deploy.toml")).unwrap();
    let environments = config::environments(&text);
    assert!(!environments.is_empty(), "deploy.toml names no environment");
    for name in environments
        .iter()
        .map(|name| Some(name.as_str()))
        .chain([None])
    {
        config::load("deploy.toml", &text, name)
            .map_err(|report| report.render(false))
            .unwrap();
    }
    assert_eq!(
        text.lines().next(),
        Some("#:schema ./xtask/deploy/deploy.schema.json")
    );
}
