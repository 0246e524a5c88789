//! What GitHub's log must never show: the secrets among a job's variables.

use super::command::data;
use crate::redact::{secret_name, secret_value};

/// Shortest text that is hidden: hiding every `on` or `local` of a log hides nothing but the log.
const SHORTEST: usize = 8;

/// A command for each variable that is a secret by its name or by its form. They come before everything else that is
/// printed; the runner hides the values from then on, and does not show the commands themselves.
pub fn masks<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let secret = |(name, value): &(&str, &str)| {
        value.len() >= SHORTEST && (secret_name(name) || secret_value(value).is_some())
    };
    variables.filter(secret).map(|(_, value)| format!("::add-mask::{}", data(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_of_the_job_is_hidden_and_a_word_of_the_log_is_not() {
        let variables = [
            ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+100%"),
            ("AWS_SESSION_TOKEN", "FwoGZXIvYXdz"),
            ("AWS_REGION", "ap-southeast-1"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/home/runner/token"),
            ("DB_PASSWORD", "local"),
            ("DEPLOY_KEY", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"),
        ];
        assert_eq!(
            masks(variables.into_iter()),
            [
                "::add-mask::ASIAIOSFODNN7EXAMPLE",
                "::add-mask::wJalrXUtnFEMI/K7MDENG+100%25",
                "::add-mask::FwoGZXIvYXdz",
                "::add-mask::-----BEGIN RSA PRIVATE KEY-----%0AMIIE%0A-----END RSA PRIVATE KEY-----",
            ]
        );
    }
}
