//! Who may take the role: jobs of one repository, in one environment or on one branch, by GitHub's identity tokens.
//!
//! Source: GitHub docs, "OpenID Connect reference". Repositories that were created, renamed or transferred since mid 2026
//! have numbers in the subject, so that who takes over a freed name does not take over its rights.

use serde_json::{Value, json};

use super::Place;

const ISSUER: &str = "token.actions.githubusercontent.com";

#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// `OWNER/REPOSITORY`, as GitHub spells it.
    pub repository: &'a str,
    /// The numbers of owner and repository, where they are known.
    pub ids: Option<(u64, u64)>,
    pub jobs: Jobs<'a>,
}

/// What the subject of a job's token says besides the repository.
#[derive(Clone, Copy, Debug)]
pub enum Jobs<'a> {
    /// Of jobs that name this environment, whose protection rules then hold for the role too.
    Environment(&'a str),
    /// Of jobs that run on this branch and name no environment. Such a job waits for no reviewer.
    Branch(&'a str),
}

impl Subject<'_> {
    /// The subjects of its tokens: with numbers, where they are known, and without.
    fn texts(&self) -> Vec<String> {
        let end = match self.jobs {
            Jobs::Environment(name) => format!("environment:{name}"),
            Jobs::Branch(name) => format!("ref:refs/heads/{name}"),
        };
        let mut texts = vec![format!("repo:{}:{end}", self.repository)];
        if let (Some((owner_id, id)), Some((owner, name))) = (self.ids, self.repository.split_once('/')) {
            texts.push(format!("repo:{owner}@{owner_id}/{name}@{id}:{end}"));
        }
        texts
    }
}

pub fn trust(place: Place<'_>, subject: &Subject<'_>) -> Value {
    let Place { partition, account } = place;
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": format!("arn:{partition}:iam::{account}:oidc-provider/{ISSUER}") },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": {
                format!("{ISSUER}:aud"): "sts.amazonaws.com",
                format!("{ISSUER}:sub"): subject.texts(),
            } },
        }],
    })
}
