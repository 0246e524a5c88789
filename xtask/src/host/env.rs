//! A snapshot of the environment variables, taken once.

use std::collections::BTreeMap;
use std::fmt;

/// Environment variables. Its `Debug` shows names only: values may be secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The process's own; variables that are not Unicode are left out.
    pub fn system() -> Self {
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(unicode).collect())
    }

    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A variable's value. An empty one counts as unset, as it does for AWS's tools and in workflow files.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a variable is set to something other than the empty text, `0`, `no` or `false`.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| !["0", "no", "false"].contains(&value.to_ascii_lowercase().as_str()))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_variable_does_not_reach_a_log_through_debug() {
        let env = Env::of([("AWS_SECRET_ACCESS_KEY", "hunter2"), ("EMPTY", "")]);
        assert_eq!(format!("{env:?}"), r#"{"AWS_SECRET_ACCESS_KEY", "EMPTY"}"#);
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let env = Env::of([("EMPTY", ""), ("CI", "true"), ("OFF", "False")]);
        assert_eq!(env.get("EMPTY"), None);
        assert!(env.flag("CI") && !env.flag("OFF") && !env.flag("EMPTY") && !env.flag("ABSENT"));
    }
}
