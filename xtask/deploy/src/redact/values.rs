//! Which values are secrets, whatever their names.

use super::spans::{self, is_token};

/// What kind of secret a value is that is nothing else, whatever its name and whatever the file says of it. Some tokens are meant
/// for browsers: keys of Google's APIs, and JSON web tokens without a user.
pub(crate) fn certain_secret(value: &str) -> Option<&'static str> {
    let public = ["AIza", "eyJ"].iter().any(|prefix| value.trim().starts_with(prefix));
    secret_value(value).filter(|_| !public && !spans::formed(value).is_empty())
}

/// What kind of secret a value is by its own form, whatever its name.
pub(crate) fn secret_value(value: &str) -> Option<&'static str> {
    let value = value.trim();
    let key_id = |prefix: &str| {
        value.match_indices(prefix).any(|(at, _)| {
            let id = value[at..].chars().take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit()).count();
            id == 20
        })
    };
    let password_in_url = || {
        let (_, rest) = value.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let (user, _) = authority.rsplit_once('@')?;
        user.split_once(':').filter(|(_, password)| !password.is_empty())
    };
    if value.contains("-----BEGIN") && value.contains("PRIVATE KEY") {
        Some("a private key")
    } else if key_id("AKIA") || key_id("ASIA") {
        Some("an AWS access key")
    } else if ["ghp_", "gho_", "ghs_", "github_pat_"].iter().any(|prefix| value.starts_with(prefix)) {
        Some("a GitHub token")
    } else if password_in_url().is_some() {
        Some("a URL with a password in it")
    } else if is_token(value) {
        Some("a token of a well-known form")
    } else if !spans::all(value).is_empty() {
        // What is masked wherever it is printed is no less a secret here.
        Some("a text with a password or key in it")
    } else {
        None
    }
}

/// Whether a text says where a secret is kept: an ARN, or the name of an SSM parameter.
pub(crate) fn secret_reference(text: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    text.starts_with("arn:")
        || (!text.is_empty() && text.len() <= 2048 && text.chars().all(name) && text.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_public_is_no_secret_unless_its_form_leaves_no_doubt() {
        for (value, certain) in [
            ("postgres://app:hunter2@db/x", true),
            ("app:hunter2@db:5432", true),
            ("AKIAIOSFODNN7EXAMPLE", true),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", true),
            ("ghp_0123456789abcdefghij", true),
            ("https://a.blob.core.windows.net/c?sv=1&sig=abc%3D", true),
            ("AIzaSyD-0123456789abcdefghij", false),
            ("eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl", false),
            ("pk_live_x", false),
            ("--token=5", false),
        ] {
            assert_eq!(certain_secret(value).is_some(), certain, "{value}");
        }
    }

    #[test]
    fn a_value_betrays_itself_whatever_its_name() {
        for (value, secret) in [
            ("AKIAIOSFODNN7EXAMPLE", true),
            ("key: ASIAIOSFODNN7EXAMPLE.", true),
            ("AKIA is a prefix", false),
            ("postgres://app:pw@db/x", true),
            ("postgres://app@db/x", false),
            ("http://backend.ielts.local:8080", false),
            ("-----BEGIN RSA PRIVATE KEY-----\nx", true),
            ("-----BEGIN CERTIFICATE-----", false),
            ("sk-proj-0123456789abcdef", true),
            ("sk-learn", false),
            ("SG.abcdefghijklmnopqrstuv.ABCDEFGHIJ", true),
            ("hf_AbCdEfGhIjKlMnOpQrStUvWxYz", true),
            ("hf_hub_download_of_models", false),
            ("https://hooks.slack.com/services/T00000000/B00000000/hunter2", true),
            ("https://hooks.slack.com/services/", false),
            ("AccountName=app;AccountKey=aHVudGVyMg==;EndpointSuffix=core.windows.net", true),
            ("app/hunter2@//db:1521/x", true),
            ("http://a/b?c=//d", false),
            ("app:hunter2@tcp(db:3306)/x", true),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", true),
            ("Basic YXBwOmh1bnRlcjI=", true),
            ("host=db user=app password=hunter2", true),
            ("https://a.blob.core.windows.net/c?sv=1&sig=aHVudGVyMg%3D%3D", true),
            ("SharedAccessSignature sr=a&sig=aHVudGVyMg%3D&se=1", true),
            ("SharedAccessSignature sig=aHVudGVyMg%3D&se=1", true),
            ("https://a/?sig=", false),
            ("app:hunter2@db:5432", true),
            ("app:hunter2@db.internal:5432/x", true),
            ("app:hunter2@db/x", true),
            (":hunter2@redis:6379", true),
            ("dsn=app:hun=ter2@db:5432", true),
            ("registry:5000/app:1.2@sha256:0123456789abcdef", false),
            ("app:1.2@sha256:1", false),
            ("npm:react@18.2.0/index", false),
            ("mailto:a@b.c", false),
            ("serviceAccount:app@project.iam.gserviceaccount.com", false),
            ("git@github.com:22/x", false),
            ("https://cdn.jsdelivr.net/npm/vue@3/dist", false),
            ("http://app@db:5432/x", false),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2lnbmF0dXJl", true),
            ("arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf", false),
            ("/actuator/health?probe=1", false),
            ("-Xmx512m -Dserver.port=8080", false),
            ("da39a3ee5e6b4b0d3255bfef95601890afd80709", false),
        ] {
            assert_eq!(secret_value(value).is_some(), secret, "{value}");
        }
    }
}
