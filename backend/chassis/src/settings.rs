//! What the environment says: where to listen, how much to log, how long a shutdown may take.
//!
//! Every value has a default, so an empty environment is a valid one; a value that is there and wrong is refused.

use std::env::{self, VarError};
use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

/// A setting that cannot be used, said in one line. The process ends with exit code 2.
#[derive(Debug, PartialEq, Eq)]
pub struct Trouble(String);

impl Trouble {
    /// `PORT="x": why`, for a setting that can hold no secret.
    #[must_use]
    pub fn new(name: &str, value: &str, why: impl Display) -> Self {
        Self(format!("{name}={value:?}: {why}"))
    }

    /// `BACKEND_URL: why`, without the value: for a setting that can hold a password.
    #[must_use]
    pub fn unseen(name: &str, why: impl Display) -> Self {
        Self(format!("{name}: {why}"))
    }
}

impl Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

/// The settings that both services have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `HOST` and `PORT`. The default host is every interface, as a container on AWS needs.
    pub address: SocketAddr,
    /// `LOG_LEVEL`: `off`, `error`, `warn`, `info` (default), `debug` (adds health checks) or `trace`.
    pub log_level: LevelFilter,
    /// `SHUTDOWN_GRACE_SECONDS`, 1 to 120: the longest time from SIGTERM to the exit. The default is 25, below
    /// the 30 s of a container's `stopTimeout` after which ECS sends SIGKILL.
    pub grace: Duration,
    /// `APP_COMMIT`: the commit that was deployed. From the environment and not from the build, so that the
    /// image depends on the source alone.
    pub commit: String,
}

impl Settings {
    /// Reads the settings through `lookup`, which is [`variable`] outside tests.
    ///
    /// # Errors
    /// The first value that cannot be used.
    pub fn read(lookup: Lookup<'_>, default_port: u16) -> Result<Self, Trouble> {
        let host = setting(
            lookup,
            "HOST",
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            "an IP address",
        )?;
        let port = setting(
            lookup,
            "PORT",
            default_port,
            "a port number from 0 to 65535",
        )?;
        let expected = "one of off, error, warn, info, debug, trace";
        let log_level = setting(lookup, "LOG_LEVEL", LevelFilter::INFO, expected)?;
        let expected = "a number of seconds from 1 to 120";
        let grace = setting(lookup, "SHUTDOWN_GRACE_SECONDS", 25_u64, expected)?;
        if !(1..=120).contains(&grace) {
            let refused = format!("must be {expected}");
            return Err(Trouble::new(
                "SHUTDOWN_GRACE_SECONDS",
                &grace.to_string(),
                refused,
            ));
        }
        let commit = lookup("APP_COMMIT")?.unwrap_or_else(|| "unknown".to_owned());
        Ok(Self {
            address: SocketAddr::new(host, port),
            log_level,
            grace: Duration::from_secs(grace),
            commit,
        })
    }
}

/// How a setting is looked up by its name; an empty value counts as none.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Result<Option<String>, Trouble>;

/// An environment variable; an empty one counts as absent, because a task definition cannot unset a variable.
///
/// # Errors
/// The value is not Unicode.
pub fn variable(name: &str) -> Result<Option<String>, Trouble> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(raw)) => {
            Err(Trouble::new(name, &raw.to_string_lossy(), "is not UTF-8"))
        }
    }
}

fn setting<T: FromStr>(
    lookup: Lookup<'_>,
    name: &str,
    default: T,
    expected: &str,
) -> Result<T, Trouble> {
    match lookup(name)? {
        None => Ok(default),
        Some(value) => value
            .trim()
            .parse()
            .map_err(|_| Trouble::new(name, &value, format_args!("must be {expected}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Settings, String> {
        let lookup = |name: &str| {
            Ok(given
                .iter()
                .find(|(given, _)| *given == name)
                .map(|(_, value)| (*value).to_owned()))
        };
        Settings::read(&lookup, 8080).map_err(|trouble| trouble.to_string())
    }

    #[test]
    fn an_empty_environment_is_a_valid_one() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.address.to_string(), "0.0.0.0:8080");
        assert_eq!(
            (settings.grace.as_secs(), settings.commit.as_str()),
            (25, "unknown")
        );
    }

    #[test]
    fn given_values_are_used() {
        let given = [
            ("HOST", "127.0.0.1"),
            ("PORT", " 9000 "),
            ("LOG_LEVEL", "debug"),
            ("APP_COMMIT", "abc"),
        ];
        let settings = read(&given).unwrap();
        assert_eq!(settings.address.to_string(), "127.0.0.1:9000");
        assert_eq!(
            (settings.log_level, settings.commit.as_str()),
            (LevelFilter::DEBUG, "abc")
        );
    }

    #[test]
    fn a_wrong_value_is_named_with_what_would_be_right() {
        for (name, value, expected) in [
            (
                "PORT",
                "eighty",
                r#"PORT="eighty": must be a port number from 0 to 65535"#,
            ),
            (
                "PORT",
                "65536",
                r#"PORT="65536": must be a port number from 0 to 65535"#,
            ),
            (
                "HOST",
                "localhost",
                r#"HOST="localhost": must be an IP address"#,
            ),
            (
                "LOG_LEVEL",
                "loud",
                r#"LOG_LEVEL="loud": must be one of off, error, warn, info, debug, trace"#,
            ),
            (
                "SHUTDOWN_GRACE_SECONDS",
                "0",
                r#"SHUTDOWN_GRACE_SECONDS="0": must be a number of seconds from 1 to 120"#,
            ),
            (
                "SHUTDOWN_GRACE_SECONDS",
                "-1",
                r#"SHUTDOWN_GRACE_SECONDS="-1": must be a number of seconds from 1 to 120"#,
            ),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err(), expected);
        }
    }
}
