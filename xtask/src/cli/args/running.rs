//! Arguments of the verbs about what runs: to look at it, enter it, and change it without a release.

use std::time::Duration;

use clap::Args;

use super::Lease;

#[derive(Args, Debug)]
pub(crate) struct Status {
    /// A service of deploy.toml, in detail: tasks, events, why tasks stopped, scaling, alarms
    pub(crate) service: Option<String>,
    /// Look again as often as a deploy does, until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
    /// Exit with 1 when something is not as it should be
    #[arg(long, conflicts_with = "watch")]
    pub(crate) exit_code: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Logs {
    /// Services of deploy.toml; all when absent
    #[arg(value_name = "SERVICE")]
    pub(crate) services: Vec<String>,
    /// Go on as lines come; tasks that start are read too, and those that stop are named with the reason
    #[arg(long, short, conflicts_with = "previous")]
    pub(crate) follow: bool,
    /// How far back, such as `15m`, `6h`, `2days`; an hour when absent, a minute with --follow
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "previous")]
    pub(crate) since: Option<Duration>,
    /// Only lines that contain this text, upper and lower case as written
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) grep: Option<String>,
    /// Only the task whose id begins so
    #[arg(long, value_name = "ID", conflicts_with = "previous")]
    pub(crate) task: Option<String>,
    /// Only this container
    #[arg(long, value_name = "NAME")]
    pub(crate) container: Option<String>,
    /// The newest task of each service that stopped, a failed one first, and how it ended
    #[arg(long)]
    pub(crate) previous: bool,
    /// Leave lines that are JSON objects as they are
    #[arg(long)]
    pub(crate) raw: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "a number and its unit, such as `15m`, `6h` or `2days`".to_owned())
}

#[derive(Args, Debug)]
pub(crate) struct Exec {
    /// A service of deploy.toml
    pub(crate) service: String,
    /// The task's id, or how it begins; the newest task of the newest deployment when absent
    #[arg(long, value_name = "ID")]
    pub(crate) task: Option<String>,
    /// The container; the service's own when absent
    #[arg(long, value_name = "NAME")]
    pub(crate) container: Option<String>,
    /// The command and its arguments
    #[arg(last = true, value_name = "COMMAND", default_value = "/bin/sh")]
    pub(crate) command: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    /// A service of deploy.toml: its image, variables, secrets, roles and network are the task's
    pub(crate) service: String,
    /// Memory of the task in MiB, such as 4096; Fargate takes certain sizes for each number of CPUs
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(512..=249_856))]
    pub(crate) memory: Option<u32>,
    /// The revision of this release; the one that runs when absent
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<String>,
    /// The command and its arguments
    #[arg(last = true, value_name = "COMMAND", required = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Restart {
    /// Services of deploy.toml; all when absent
    #[arg(value_name = "SERVICE")]
    pub(crate) services: Vec<String>,
    #[command(flatten)]
    pub(crate) change: Change,
}

#[derive(Args, Debug)]
pub(crate) struct Scale {
    /// A service of deploy.toml
    pub(crate) service: String,
    /// Its tasks
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(..=5000))]
    pub(crate) count: u32,
    #[command(flatten)]
    pub(crate) change: Change,
}

#[derive(Args, Debug)]
pub(crate) struct Change {
    /// Show the plan and stop; exits with 3 when something would change
    #[arg(long)]
    pub(crate) plan: bool,
    #[command(flatten)]
    pub(crate) lease: Lease,
}

#[derive(Args, Debug)]
pub(crate) struct Open {
    /// A service of deploy.toml, whose path is opened; the application when absent
    pub(crate) service: Option<String>,
}
