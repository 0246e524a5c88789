//! Who deploys: a person at a machine, or a run of a workflow.

use std::fmt;

use super::{Env, Shell};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// `user@host`, or the GitHub user that started the run.
    pub name: String,
    /// The run's page, in GitHub Actions.
    pub run_url: Option<String>,
}

impl Actor {
    /// Asks the environment, and the `hostname` program when it does not say.
    pub fn system(env: &Env, shell: &Shell) -> Self {
        Self::github(env).unwrap_or_else(|| {
            let host = ["HOSTNAME", "COMPUTERNAME"].iter().find_map(|name| env.get(name).map(str::to_owned));
            Self::person(env, host.or_else(|| shell.read("hostname", &[]).ok()))
        })
    }

    fn github(env: &Env) -> Option<Self> {
        let name = env.get("GITHUB_ACTOR")?.to_owned();
        let url = || {
            let (server, repository) = (env.get("GITHUB_SERVER_URL")?, env.get("GITHUB_REPOSITORY")?);
            Some(format!("{server}/{repository}/actions/runs/{}", env.get("GITHUB_RUN_ID")?))
        };
        Some(Self { name, run_url: url() })
    }

    fn person(env: &Env, host: Option<String>) -> Self {
        let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| env.get(name)).unwrap_or("unknown");
        let name = match host.filter(|host| !host.is_empty()) {
            Some(host) => format!("{user}@{host}"),
            None => user.to_owned(),
        };
        Self { name, run_url: None }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.run_url {
            Some(url) => write!(f, "{} {url}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_run_is_named_by_its_page() {
        let env = Env::of([
            ("GITHUB_ACTOR", "octocat"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/ielts"),
            ("GITHUB_RUN_ID", "42"),
            ("USER", "runner"),
        ]);
        let actor = Actor::github(&env).unwrap();
        assert_eq!(actor.to_string(), "octocat https://github.com/acme/ielts/actions/runs/42");
    }

    #[test]
    fn a_person_is_named_by_user_and_machine() {
        let env = Env::of([("LOGNAME", "ada")]);
        assert_eq!(Actor::person(&env, Some("engine".into())).name, "ada@engine");
        assert_eq!(Actor::person(&env, None).name, "ada");
        assert_eq!(Actor::person(&Env::default(), None).name, "unknown");
    }
}
