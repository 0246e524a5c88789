//! What the operator can do about an error.

use super::{CredentialsProblem, Error, Kind};

pub(super) fn of(error: &Error) -> Option<String> {
    let hint = match &error.kind {
        Kind::Throttled => "other callers use up this account's API rate; try again in a minute",
        Kind::ServerFault => {
            "AWS has a problem; see https://health.aws.amazon.com and run the same command again: it goes on where it stopped"
        }
        Kind::Unreachable { permanent: true } => {
            "check the endpoint's address, and the certificates that this machine or its proxy trusts"
        }
        Kind::Unreachable { .. } | Kind::TimedOut => {
            "check the network, AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY, and run the same command again"
        }
        Kind::Credentials(CredentialsProblem::Missing) => {
            "sign in (`aws sso login`), name a profile with AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        }
        Kind::Credentials(CredentialsProblem::Unloadable) => {
            "see the profile that AWS_PROFILE names; for one with mfa_serial use credential_process = aws configure export-credentials"
        }
        Kind::Credentials(CredentialsProblem::Rejected) => {
            "check AWS_PROFILE and the access keys: they may be deleted, or belong to another partition"
        }
        Kind::ExpiredToken => {
            "sign in again (`aws sso login`), or start a new job: a job's session lasts an hour unless its role allows more"
        }
        Kind::ClockSkew => "set this machine's clock",
        Kind::AccessDenied { action } => {
            return Some(format!("allow {action} in the policy of the caller's role"));
        }
        Kind::Quota => "ask for a higher quota, or remove what is no longer used",
        Kind::NotReady => "run the same command again: it goes on where it stopped",
        Kind::Unsupported => "use an endpoint or a region that has the operation",
        Kind::NotAws { .. } => {
            "something between this machine and AWS answered; check the proxy, the VPN and AWS_ENDPOINT_URL"
        }
        Kind::Conflict => "what the call is about is changing; run the same command again in a minute",
        Kind::NotFound | Kind::AlreadyExists | Kind::Invalid | Kind::Other => return None,
    };
    Some(hint.to_owned())
}
