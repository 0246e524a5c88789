//! What the operator can do about an error.

use super::{CredentialsProblem, Error, Kind, Source};

pub(super) fn of(error: &Error) -> Option<String> {
    let hint = match &error.kind {
        Kind::Throttled => "other callers use up this account's API rate; try again in a minute",
        Kind::ServerFault => {
            "AWS has a problem; see https://health.aws.amazon.com and run the same command again: it continues where it stopped"
        }
        Kind::Unreachable { permanent: true } => {
            "check the endpoint's address, and the certificates that this machine or its proxy trusts"
        }
        Kind::Unreachable { .. } | Kind::TimedOut => {
            "check the network, AWS_ENDPOINT_URL, HTTPS_PROXY and NO_PROXY, and run the same command again"
        }
        Kind::Credentials(CredentialsProblem::Missing | CredentialsProblem::Unloadable)
        | Kind::ExpiredToken => return Some(sign_in(error)),
        Kind::Credentials(CredentialsProblem::Rejected) => {
            "check AWS_PROFILE and the access keys: they may be deleted, or belong to another partition"
        }
        Kind::ClockSkew => "set this machine's clock",
        Kind::AccessDenied { action } => {
            return Some(format!("allow {action} in the policy of the caller's role"));
        }
        Kind::Quota => "ask for a higher quota, or remove what is no longer used",
        Kind::NotReady => "run the same command again: it continues where it stopped",
        Kind::Unsupported => "use an endpoint or a region that has the operation",
        Kind::NotAws { .. } | Kind::Incomplete => {
            "something between this machine and AWS answered; check the proxy, the VPN and AWS_ENDPOINT_URL"
        }
        Kind::Conflict => "what the call is about is changing; run the same command again in a minute",
        // Only whoever made the call knows what it was for: AWS's words are shown alone.
        Kind::NotFound | Kind::AlreadyExists | Kind::Invalid | Kind::Other => return None,
    };
    Some(hint.to_owned())
}

/// How to get credentials, by the source that failed: the environment names it, or the SDK's words.
fn sign_in(error: &Error) -> String {
    let profile = match &error.source {
        Some(Source::Profile { name, .. }) => Some(name),
        _ => None,
    };
    let with = profile.map(|name| format!(" --profile {name}")).unwrap_or_default();
    let said = error.message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    // A role or a sign-in is asked for over the network.
    if says(&["cannot reach", "does not resolve", "dispatch failure"]) {
        return "check the network, HTTPS_PROXY and NO_PROXY, and run the same command again".to_owned();
    }
    if matches!(error.source, Some(Source::Profile { exists: false, .. })) {
        return format!(
            "list the profiles with `aws configure list-profiles`, or make it: `aws configure sso{with}`"
        );
    }
    if matches!(error.source, Some(Source::WebIdentity(_))) || says(&["web identity", "webidentity"]) {
        return "check AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, and the role's trust policy".to_owned();
    }
    if matches!(error.kind, Kind::ExpiredToken) {
        return format!(
            "sign in again (`aws sso login{with}`), or start a new job: a job's session lasts an hour unless its role allows \
             more"
        );
    }
    if says(&["mfa"]) {
        return format!(
            "MFA codes cannot be asked for here: in another profile write `credential_process = aws configure \
             export-credentials{with}`, and name that one with AWS_PROFILE"
        );
    }
    if says(&["sts:assumerole"]) {
        return "allow sts:AssumeRole in the caller's policy, and the caller in the role's trust policy"
            .to_owned();
    }
    if says(&["sso"]) {
        return format!("sign in: `aws sso login{with}`");
    }
    if says(&["login", "signin"]) {
        return format!("sign in: `aws login{with}`");
    }
    match profile {
        Some(name) => format!("correct profile `{name}` in the AWS configuration files"),
        None => "sign in (`aws sso login`), name a profile with AWS_PROFILE, or set AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY"
            .to_owned(),
    }
}
