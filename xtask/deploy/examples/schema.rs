//! Prints the JSON schema of `deploy.toml`:
//! `cargo run -p deploy --example schema > xtask/deploy/deploy.schema.json`.

fn main() -> std::io::Result<()> {
    use std::io::Write;
    std::io::stdout().write_all(deploy::config::schema().as_bytes())
}
