//! What can be typed.

mod running;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use deploy::event::ExitCode;

use crate::report::{Color, Format};

pub(crate) use running::{Change, Exec, Logs, Open, Restart, Run, Scale, Status};

/// Deploys the application to Amazon ECS, or to the embedded cloud, and proves that it runs.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, after_help = exit_codes())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Environment of deploy.toml; its `default-env` when absent
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) env: Option<String>,
    /// Configuration file; `deploy.toml` at the top of the workspace when absent
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Lines for people, or JSON for programs
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub(crate) output: Format,
    /// When to color
    #[arg(long, global = true, value_enum, default_value = "auto")]
    pub(crate) color: Color,
    /// Answer yes where the environment asks for consent
    #[arg(long, short, global = true)]
    pub(crate) yes: bool,
    /// Do not roll back: leave deployments as they are on a failure, on Ctrl-C or SIGTERM, and at the deadline
    #[arg(long, global = true)]
    pub(crate) no_rollback: bool,
    /// Keep plan, events, tasks, logs, target health and API calls in this folder (verbs that act); without it they are kept
    /// under `target/evidence` when something fails
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) evidence: Option<PathBuf>,
    /// Print each API call and each line of the compiler
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Build, push, bring the account to what deploy.toml says, wait, and prove that it runs
    Deploy(Deploy),
    /// Show what a deploy would change and why, and how long it will take; exits with 3 when something would, with 8 when
    /// nothing would and a service is scaled to 0 by hand
    Plan(Plan),
    /// Show what runs now
    Status(Status),
    /// Wait for a release in progress and verify it, from any machine; changes nothing
    Wait(Wait),
    /// Stop deployments in progress, whoever started them, and wait until the previous revisions serve
    Abort,
    /// Print what tasks print, interleaved by time
    Logs(Logs),
    /// Run a command in a running task, on this terminal or in a pipe; its exit code is this tool's
    Exec(Exec),
    /// Run a command in a task of its own, with the revision that a service runs; its exit code is the command's
    Run(Run),
    /// Replace the tasks of services by new ones of the same revision, and prove it as a deploy does
    Restart(Restart),
    /// Set the number of tasks of a service, within the bounds of its scaling
    Scale(Scale),
    /// Open the application in the browser, or print its address
    Open(Open),
    /// Check that account and machine have what a deploy needs: rights, network, roles, secrets, certificate, quotas; exits with
    /// 2 when something fails
    Doctor,
    /// Send the smoke checks through the load balancer
    Smoke,
    /// List former releases, and what became of them
    History(History),
    /// Roll back all services to what the last proven release ran, by digest
    Rollback(Rollback),
    /// Delete what this tool created for the environment; repositories, log groups and revisions are kept
    Down(Removal),
    /// Delete what this tool created and is no longer in deploy.toml
    Prune(Removal),
    /// Make the services' images, of packages or Dockerfiles, without pushing them
    Build(Build),
    /// Start, stop and inspect the embedded cloud
    Local {
        #[command(subcommand)]
        verb: Local,
    },
    /// Secrets that deploy.toml names
    Secrets {
        #[command(subcommand)]
        verb: Secrets,
    },
    /// Print the policies of the role that deploys this deploy.toml
    Iam {
        #[command(subcommand)]
        verb: Iam,
    },
    /// Write a deploy.toml for the Dockerfiles, or else the packages, of this repository; with --cluster, for what runs there
    Init(Init),
    /// Check formatting, lints, tests, schema and documents, as CI does
    Ci,
    /// Measure what a deploy costs: calls, waiting, CPU time; deploys to the embedded cloud
    Bench,
    /// Deploy at random on virtual time, with faults and rival deploys, and check that every report is true
    Swarm(Swarm),
    /// Print a shell's completions
    Completions {
        /// The shell
        shell: Shell,
    },
}

impl Verb {
    /// Whether it is a process that outlives the command which started it.
    pub(crate) fn is_background(&self) -> bool {
        matches!(self, Self::Local { verb: Local::Serve(_) | Local::Sidecar { .. } })
    }

    /// Whether it only reads, or acts on this machine only: it then leaves no evidence.
    pub(crate) fn only_looks(&self) -> bool {
        matches!(
            self,
            Self::Plan(_)
                | Self::Status(_)
                | Self::History(_)
                | Self::Logs(_)
                | Self::Open(_)
                | Self::Doctor
                | Self::Run(_)
                | Self::Secrets { .. }
                | Self::Exec(_)
                | Self::Local { .. }
                | Self::Init(_)
                | Self::Ci
                | Self::Bench
                | Self::Swarm(_)
                | Self::Completions { .. }
        )
    }
}

/// Arguments of a deploy beyond `deploy.toml`.
#[derive(Args, Debug)]
pub(crate) struct Deploy {
    #[command(flatten)]
    pub(crate) commit: Commit,
    #[command(flatten)]
    pub(crate) build: Build,
    /// Return once the last deployments have started; exits with 7, and `wait` waits for them and verifies them
    #[arg(long)]
    pub(crate) detach: bool,
    #[command(flatten)]
    pub(crate) lease: Lease,
}

/// Arguments of a plan beyond `deploy.toml`.
#[derive(Args, Debug)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) commit: Commit,
    #[command(flatten)]
    pub(crate) build: Build,
}

#[derive(Args, Debug)]
pub(crate) struct Build {
    /// Build Dockerfiles anew, also those whose inputs are unchanged, and without the engine's cache
    #[arg(long)]
    pub(crate) no_cache: bool,
}

/// What becomes of a lease that somebody else has.
#[derive(Args, Debug)]
pub(crate) struct Lease {
    /// Take the lease over from whoever has it; both runs print the reason
    #[arg(long, value_name = "REASON")]
    pub(crate) take_lease: Option<String>,
}

/// Which commits may be deployed.
#[derive(Args, Debug)]
pub(crate) struct Commit {
    /// Deploy also a commit that is older than the one that runs
    #[arg(long)]
    pub(crate) allow_older: bool,
    /// Replace what runs of a service that something else deployed, also where deploy.toml does not say all of it
    #[arg(long)]
    pub(crate) adopt: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Wait {
    /// The release's id; when absent, the one in progress, else the newest
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct History {
    /// How many releases, the newest ones
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) limit: u8,
}

/// What to roll back to.
#[derive(Args, Debug)]
pub(crate) struct Rollback {
    /// The release; the newest proven one before what runs when absent
    #[arg(long, value_name = "RELEASE")]
    pub(crate) to: Option<String>,
    /// Roll back past a release whose task before the roll has run, such as a migration
    #[arg(long)]
    pub(crate) past_migration: bool,
    #[command(flatten)]
    pub(crate) change: Change,
}

/// What the file is written from.
#[derive(Args, Debug)]
pub(crate) struct Init {
    /// An ECS cluster whose services run already: their settings are read, and nothing is changed
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// A service of the cluster, and further ones; all when absent
    #[arg(long = "service", value_name = "NAME", requires = "cluster")]
    pub(crate) services: Vec<String>,
    /// The cluster's region; AWS_REGION when absent
    #[arg(long, value_name = "REGION", requires = "cluster")]
    pub(crate) region: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Swarm {
    /// Start no more seeds after this many seconds
    #[arg(long, value_name = "N")]
    pub(crate) seconds: Option<u64>,
    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    pub(crate) from: u64,
    /// How many seeds; 150 when absent, or as many as the seconds allow
    #[arg(long, value_name = "N")]
    pub(crate) runs: Option<u64>,
    /// Repeat this seed only, and show what happens in it
    #[arg(long, value_name = "SEED", conflicts_with_all = ["from", "runs", "seconds"])]
    pub(crate) seed: Option<u64>,
    /// Compile with optimisation first, which takes minutes: four times as many seeds a second
    #[arg(long)]
    pub(crate) optimised: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Removal {
    /// Show the plan and stop; exits with 3 when something would be deleted
    #[arg(long)]
    pub(crate) plan: bool,
    #[command(flatten)]
    pub(crate) lease: Lease,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    /// List where each one is kept, when it was changed, and whether running tasks have it; exits with 1 when one is missing
    List,
    /// Give one a new value, from standard input or a prompt
    Set {
        /// The variable, or SERVICE.VARIABLE where services differ
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Iam {
    /// What the role may do: the least that all verbs but `run`, `exec`, `secrets set`, `down` and `prune` take
    Policy {
        /// Whose policy: the role that deploys, or one that reads only, for smoke, status, plan and history
        #[arg(long = "for", value_enum, default_value_t = Role::Deploy, value_name = "ROLE")]
        role: Role,
        /// Also what `down` and `prune` take
        #[arg(long, conflicts_with = "role")]
        down: bool,
        /// Also what `run` takes: whoever has it acts with the tasks' roles
        #[arg(long, conflicts_with = "role")]
        run: bool,
        /// Also what `secrets set` takes
        #[arg(long, conflicts_with = "role")]
        secrets: bool,
    },
    /// Who may take the role: a GitHub repository's jobs in an environment, or on a branch
    Trust(Trust),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    Deploy,
    Smoke,
    /// What `doctor` reads; it works with less, and says what it could not read
    Doctor,
}

/// Whose jobs may take the role.
#[derive(Args, Debug)]
pub(crate) struct Trust {
    /// OWNER/REPOSITORY
    #[arg(long, value_name = "OWNER/REPOSITORY")]
    pub(crate) repository: String,
    /// The owner's number, which newer subjects hold: `gh api users/OWNER --jq .id`
    #[arg(long, value_name = "N", requires = "repository_id")]
    pub(crate) owner_id: Option<u64>,
    /// The repository's number: `gh api repos/OWNER/REPOSITORY --jq .id`
    #[arg(long, value_name = "N", requires = "owner_id")]
    pub(crate) repository_id: Option<u64>,
    /// The GitHub environment that the job names; that of deploy.toml when absent
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Jobs on this branch that name no environment, such as the hourly smoke check
    #[arg(long, value_name = "NAME", conflicts_with = "environment")]
    pub(crate) branch: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Local {
    /// Start it, unless it is running
    Start,
    /// Stop it with all its tasks; what was deployed there is lost
    Stop,
    /// Print whether it runs, and where
    Status,
    /// Open its page in the browser: services, tasks, events, logs
    Open,
    /// Run the embedded cloud in the foreground
    #[command(hide = true)]
    Serve(Serve),
    /// Run as the sidecar of one of its tasks
    #[command(hide = true)]
    Sidecar {
        /// Folder with the sockets to forward to
        folder: PathBuf,
    },
}

/// How the embedded cloud's process is started.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Folder for its state
    #[arg(long)]
    pub(crate) state: PathBuf,
    /// Its region; that of this tool's examples when absent
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Its account number; an example number when absent
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Port of the APIs and the registry; another when it is taken
    #[arg(long, default_value_t = 4566)]
    pub(crate) port: u16,
    /// Port of the load balancer; another when it is taken
    #[arg(long, default_value_t = 8088)]
    pub(crate) alb_port: u16,
}

fn exit_codes() -> String {
    let mut text = String::from("Exit codes:\n");
    for (code, meaning) in ExitCode::TABLE {
        text.push_str(&format!("  {:>2}  {meaning}\n", code.code()));
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
