//! Prints the JSON schema of what `--output json` prints:
//! `cargo run -p deploy --example output_schema > xtask/deploy/output.schema.json`.

fn main() -> std::io::Result<()> {
    use std::io::Write;
    std::io::stdout().write_all(deploy::output::schema().as_bytes())
}
