//! `deploy.toml` for a repository that has none.

mod start;

pub use start::{Found, Source, start};
