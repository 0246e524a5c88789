//! `deploy.toml` where there is none: a starting file for a repository, or one that says what runs in a cluster.

mod live;
mod sketch;
mod start;

pub use live::Draft;
pub use sketch::{Front, Live, LiveService};
pub use start::{Found, LONGEST_KEY, Source, start};
