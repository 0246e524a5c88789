//! Who may take the role: jobs of one repository in one environment, by GitHub's identity tokens.
//!
//! Source: GitHub docs, "OpenID Connect reference". Repositories that were created, renamed or transferred since mid 2026
//! have numbers in the subject, so that who takes over a freed name does not take over its rights.

use serde_json::{Value, json};

use super::Place;

const ISSUER: &str = "token.actions.githubusercontent.com";

#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// `OWNER/REPOSITORY`.
    pub repository: &'a str,
    /// The numbers of owner and repository, where they are known.
    pub ids: Option<(u64, u64)>,
    /// The environment that the job names.
    pub environment: &'a str,
}

impl Subject<'_> {
    /// The subjects of its tokens: with numbers, where they are known, and without.
    fn texts(&self) -> Vec<String> {
        let end = format!("environment:{}", self.environment);
        let mut texts = vec![format!("repo:{}:{end}", self.repository)];
        if let (Some((owner_id, id)), Some((owner, name))) = (self.ids, self.repository.split_once('/')) {
            texts.push(format!("repo:{owner}@{owner_id}/{name}@{id}:{end}"));
        }
        texts
    }
}

#[must_use]
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
