//! Why an account cannot be deployed to.

use std::fmt;

use crate::aws;

/// The account could not be read, or is not one to deploy to. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credentials are of another account than the file names.
    #[error("credentials belong to account {found} ({caller}), but deploy.toml expects {wanted}")]
    Account {
        /// The account that the file names.
        wanted: String,
        found: String,
        caller: String,
    },
    /// What the operator must bring is not there.
    #[error("{}", sentences(.0))]
    Landing(Vec<Missing>),
    /// None of these services exists.
    #[error("{}", nothing(.0))]
    NotDeployed(Vec<String>),
    #[error(transparent)]
    Aws(#[from] aws::Error),
}

/// Something that deploy.toml refers to and that the tool does not make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// What it is, such as `VPC`.
    pub what: &'static str,
    /// How the file refers to it.
    pub reference: String,
    /// What is wrong, such as `does not exist in ap-southeast-1`.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` {}", self.what, self.reference, self.problem)
    }
}

impl Error {
    /// What the operator can do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Account { wanted, .. } => {
                Some(format!("name a profile of account {wanted} with AWS_PROFILE, or choose another --env"))
            }
            Self::Landing(missing) => {
                let mut hints: Vec<&str> = Vec::new();
                for hint in missing.iter().map(|missing| missing.hint.as_str()) {
                    if !hints.contains(&hint) {
                        hints.push(hint);
                    }
                }
                Some(hints.join("; "))
            }
            Self::NotDeployed(services) => {
                let them = if services.len() == 1 { "it" } else { "them" };
                Some(format!("`cargo xtask deploy` creates {them}"))
            }
            Self::Aws(error) => error.hint(),
        }
    }
}

fn nothing(services: &[String]) -> String {
    match services {
        [one] => format!("service {one} does not exist"),
        all => format!("nothing is deployed: services {} do not exist", all.join(" and ")),
    }
}

fn sentences(missing: &[Missing]) -> String {
    match missing {
        [one] => one.to_string(),
        all => {
            let lines: String = all.iter().map(|missing| format!("\n  {missing}")).collect();
            format!("the account lacks {} things that deploy.toml refers to:{lines}", all.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(what: &'static str, reference: &str) -> Missing {
        Missing {
            what,
            reference: reference.to_owned(),
            problem: "does not exist in eu-west-1".to_owned(),
            hint: "create it".to_owned(),
        }
    }

    #[test]
    fn everything_that_is_missing_is_reported_at_once() {
        let one = Error::Landing(vec![missing("VPC", "main")]);
        assert_eq!(one.to_string(), "VPC `main` does not exist in eu-west-1");
        let two = Error::Landing(vec![missing("VPC", "main"), missing("role", "task")]);
        let expected = "the account lacks 2 things that deploy.toml refers to:\n  VPC `main` does not exist in \
                    eu-west-1\n  role `task` does not exist in eu-west-1";
        assert_eq!(two.to_string(), expected);
        assert_eq!(two.hint().as_deref(), Some("create it"), "each hint is given once");
    }
}
