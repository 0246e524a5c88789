//! What the file refers to in the repository around it. Nothing here reads a disk: the caller does, when it is asked.

/// A repository as the rules ask for it.
#[derive(Clone, Copy)]
pub struct Workspace<'a> {
    /// The packages that Cargo knows; empty when Cargo cannot say.
    pub packages: &'a dyn Fn() -> Vec<String>,
    /// Whether there is such a file, by its path from the top.
    pub is_file: &'a dyn Fn(&str) -> bool,
    /// Whether there is such a folder.
    pub is_folder: &'a dyn Fn(&str) -> bool,
    /// Seconds since 1970 where somebody deploys; `None` where the file alone is judged.
    pub now_secs: Option<u64>,
}

impl Workspace<'_> {
    /// One of which nothing is known: nothing is missing there.
    pub const UNKNOWN: Workspace<'static> =
        Workspace { packages: &Vec::new, is_file: &|_| true, is_folder: &|_| true, now_secs: None };
}
