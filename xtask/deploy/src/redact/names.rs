//! Which names are those of secrets.

use super::spans::snake;
use super::values::secret_reference;

/// Words of a variable's name that say its value is a secret.
const SECRET_WORDS: [&str; 10] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "APIKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "CREDS",
];

/// Pairs of words that do; the empty word matches any. `API_KEY` and `DB_PWD` are secrets, but `KEY` alone
/// may be anything and `PWD` is a folder.
const SECRET_PAIRS: [(&str, &str); 6] = [
    ("", "PWD"),
    ("COOKIE", "SIGNING"),
    ("SESSION", "SIGNING"),
    ("MFA", "SEED"),
    ("OTP", "SEED"),
    ("TOTP", "SEED"),
];

/// What a `KEY` is for that is a secret.
const SECRET_KEYS: [&str; 14] = [
    "ACCESS",
    "ACCOUNT",
    "API",
    "DECRYPTION",
    "ENCRYPTION",
    "HMAC",
    "JWT",
    "LICENCE",
    "LICENSE",
    "MASTER",
    "PRIVATE",
    "SHARED",
    "SIGNING",
    "STORAGE",
];

/// What a `KEY` is for that is a secret in one framework, and a name or an id in another.
const MAYBE_KEYS: [&str; 4] = ["APP", "AUTH", "COOKIE", "SESSION"];

/// Last words that do: elsewhere they are about something else, such as `PAT_PATH`.
const SECRET_LAST: [&str; 4] = ["BEARER", "HMAC", "PAT", "PW"];

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

/// Without the number of several: `API_KEY_2`.
fn words(upper: &str) -> Vec<&str> {
    let mut words: Vec<&str> =
        upper.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    while words.last().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
        words.pop();
    }
    words
}

/// Names that are a secret's as often as not: `AUTH` is a password of Redis or the name of a method, a `SALT` is for hashes.
fn maybe_name(words: &[&str]) -> bool {
    words == ["AUTH"] || words.last() == Some(&"SALT") || key_for(words, &MAYBE_KEYS)
}

/// Whether it is a key for one of these.
fn key_for(words: &[&str], what: &[&str]) -> bool {
    words.windows(2).any(|pair| ["KEY", "KEYS"].contains(&pair[1]) && what.contains(&pair[0]))
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
        || SECRET_LAST.contains(&last)
        || key_for(&words, &SECRET_KEYS)
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
        && secret_name(&snake(flag))
        && !harmless
        && !secret_reference(word)
}

/// Whether to mask the word after this one on a command line: a secret; what `-p` takes that is no port, which is a password
/// in one program and a folder in another; or what `-u` takes with a colon, a login or a user and a group.
pub(crate) fn masked_argument(flag: &str, word: &str) -> bool {
    let port =
        word.starts_with(|c: char| c.is_ascii_digit()) && !word.contains(|c: char| c.is_ascii_alphabetic());
    let odd = ["", "true", "false"].contains(&word) || word.starts_with(['-', '$']) || port;
    let login =
        word.split_once(':').is_some_and(|(_, rest)| rest.contains(|c: char| c.is_ascii_alphabetic()));
    secret_argument(flag, word)
        || (flag == "-p" && !odd && !secret_reference(word))
        || (["-u", "--user"].contains(&flag) && !odd && login)
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
            "GITHUB_PAT",
            "GITHUB_PAT_2",
            "PAT",
            "MYSQL_ROOT_PW",
            "CREDS",
            "DB_CREDS",
            "BEARER",
            "HMAC",
            "WEBHOOK_HMAC",
            "OTP_SEED",
            "COOKIE_SIGNING",
            "COOKIE_SIGNING_KEYS",
            "LICENSE_KEY",
            "API_KEYS",
            "API_KEY_2",
            "RAILS_MASTER_KEY",
            "APP_KEY",
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
            "PAT_PATH",
            "COMPAT",
            "HMAC_ALGORITHM",
            "RANDOM_SEED",
            "COOKIE_SIGNING_ENABLED",
            "LICENSE",
            "LICENSE_KEY_FILE",
            "PRIMARY_KEY",
            "PUBLIC_KEY",
            "TOKEN_URL_2",
            "BEARER_FORMAT",
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
            assert_eq!(masked_argument(flag, word), secret, "{flag} {word}");
        }
        for (word, masked) in [
            ("hunter2", true),
            ("7hunter", true),
            ("8080", false),
            ("127.0.0.1:80:8080", false),
            ("/var/lib/app", false),
            ("$DB_PASSWORD", false),
            ("-v", false),
        ] {
            assert_eq!(masked_argument("-p", word), masked, "-p {word}");
            assert!(!secret_argument("-p", word), "-p {word}: no mistake of the file");
        }
        for (word, masked) in
            [("admin:hunter2x", true), ("1000:1000", false), ("app", false), ("$USER:$PW", false)]
        {
            assert_eq!(masked_argument("-u", word), masked, "-u {word}");
        }
    }
}
