//! Prints the list of what the embedded cloud serves: `cargo run -p sim --example operations > docs/operations.md`.

fn main() -> std::io::Result<()> {
    use std::io::Write;
    std::io::stdout().write_all(sim::operations().as_bytes())
}
