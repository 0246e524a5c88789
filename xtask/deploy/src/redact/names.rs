//! Which names and which values are secrets.

use super::spans::{self, is_token};

/// Words of a variable's name that say its value is a secret.
const SECRET_WORDS: [&str; 9] =
    ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "SECRETS", "TOKEN", "APIKEY", "CREDENTIAL", "CREDENTIALS"];

/// Pairs of words that do; the empty word matches any. `API_KEY` and `DB_PWD` are secrets, but `KEY` alone
/// may be anything and `PWD` is a folder.
const SECRET_PAIRS: [(&str, &str); 6] = [
    ("API", "KEY"),
    ("PRIVATE", "KEY"),
    ("ACCESS", "KEY"),
    ("ENCRYPTION", "KEY"),
    ("SIGNING", "KEY"),
    ("", "PWD"),
];

/// Last words that make such a name harmless: `TOKEN_URL` is where tokens are, `PASSWORD_MIN_LENGTH` a number.
const HARMLESS_ENDS: [&str; 28] = [
    "ALGORITHM",
    "ARN",
    "AUDIENCE",
    "COUNT",
    "DAYS",
    "DIR",
    "ENABLED",
    "ENDPOINT",
    "EXPIRY",
    "FILE",
    "HEADER",
    "HOST",
    "HOURS",
    "ID",
    "ISSUER",
    "LENGTH",
    "LIMIT",
    "MINUTES",
    "MS",
    "NAME",
    "PATH",
    "POLICY",
    "REQUIRED",
    "SECONDS",
    "SECS",
    "TTL",
    "TYPE",
    "URL",
];

/// Words that make such a name doubtful: front-end tools put `NEXT_PUBLIC_…` and `VITE_…` into what every browser gets, and
/// `PUBLISHABLE` keys are meant for that.
const PUBLIC_WORDS: [&str; 3] = ["PUBLIC", "PUBLISHABLE", "VITE"];

/// First words that do: `MAX_TOKEN` is a number. `REACT_APP_…` is for browsers too.
const PUBLIC_STARTS: [&str; 3] = ["MAX", "MIN", "REACT"];

/// Last words that do: `PASSWORD_HASHER` is a class, `SECRETS_BACKEND` a product.
const PUBLIC_ENDS: [&str; 17] = [
    "ALG",
    "AGE",
    "BACKEND",
    "CLASS",
    "ENCODING",
    "EXPIRATION",
    "EXPIRES",
    "FORMAT",
    "HASHER",
    "INTERVAL",
    "LIFETIME",
    "MODE",
    "PROVIDER",
    "SIZE",
    "STRATEGY",
    "TIMEOUT",
    "VALIDITY",
];

/// How a word ends that is one of them with what it is for before it: `PGPASSWORD`, `DBPASS`, `AUTHTOKEN`.
const SECRET_ENDS: [&str; 7] = ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "APIKEY", "TOKEN", "PASS"];

/// Words that end so and are others.
const OTHER_ENDS: [&str; 4] = ["BYPASS", "COMPASS", "ENCOMPASS", "SURPASS"];

fn words(upper: &str) -> Vec<&str> {
    upper.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// Names that are a secret's as often as not: `AUTH` is a password of Redis or the name of a method, a `SALT` is for hashes.
fn maybe_name(words: &[&str]) -> bool {
    words == ["AUTH"] || words.last() == Some(&"SALT")
}

/// Whether a name that looks like a secret's is rather about secrets, or for everybody.
pub(crate) fn doubtful_name(name: &str) -> bool {
    let upper = name.to_uppercase();
    let words = words(&upper);
    maybe_name(&words)
        || words.iter().any(|word| PUBLIC_WORDS.contains(word))
        || words.first().is_some_and(|first| PUBLIC_STARTS.contains(first))
        || words.last().is_some_and(|last| PUBLIC_ENDS.contains(last))
}

/// Whether a variable of this name holds a secret.
pub(crate) fn secret_name(name: &str) -> bool {
    let upper = name.to_uppercase();
    let words = words(&upper);
    if words.last().is_some_and(|last| HARMLESS_ENDS.contains(last)) {
        return false;
    }
    let last = words.last().copied().unwrap_or_default();
    maybe_name(&words)
        || words.iter().any(|word| SECRET_WORDS.contains(word))
        || (SECRET_ENDS.iter().any(|end| last.ends_with(end)) && !OTHER_ENDS.contains(&last))
        || words.windows(2).any(|pair| {
            SECRET_PAIRS
                .iter()
                .any(|&(first, second)| pair[1] == second && (first.is_empty() || pair[0] == first))
        })
}

/// Whether the word after this one on a command line is a secret: `--db-password hunter2`. A file's path and a variable that a
/// shell fills in say where it is kept.
pub(crate) fn secret_argument(flag: &str, word: &str) -> bool {
    let harmless = ["", "true", "false"].contains(&word) || word.starts_with(['-', '$']);
    flag.starts_with('-')
        && !flag.contains('=')
        && secret_name(&spans::snake(flag))
        && !harmless
        && !secret_reference(word)
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
    fn a_name_that_says_secret_is_one_and_a_name_about_secrets_is_none() {
        for name in [
            "DB_PASSWORD",
            "db_password",
            "SECRET",
            "GITHUB_TOKEN",
            "STRIPE_API_KEY",
            "APIKEY",
            "DB_PWD",
            "PGPASS",
            "PGPASSWORD",
            "DATABASE_PASS",
            "SMTP_PASS",
            "DBPASS",
            "CLIENTSECRET",
            "PASS",
            "AUTH",
            "HASH_SALT",
        ] {
            assert!(secret_name(name), "{name}");
        }
        for name in [
            "TOKEN_URL",
            "MAX_TOKENS",
            "PASSWORD_MIN_LENGTH",
            "PWD",
            "KEYBOARD",
            "SECRET_ARN",
            "API_URL",
            "",
            "SSL_BYPASS",
            "COMPASS",
            "PASS_THROUGH",
            "PASSENGERS",
            "SMTP_AUTH",
            "BASALT",
        ] {
            assert!(!secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_flag_says_that_the_word_after_it_is_a_secret() {
        for (flag, word, secret) in [
            ("--db-password", "hunter2", true),
            ("-dbPassword", "hunter2", true),
            ("--db-password", "--verbose", false),
            ("--db-password", "$DB_PASSWORD", false),
            ("--db-password", "/run/secrets/db", false),
            ("--password-file", "db", false),
            ("--password=a", "serve", false),
            ("password", "hunter2", false),
        ] {
            assert_eq!(secret_argument(flag, word), secret, "{flag} {word}");
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
