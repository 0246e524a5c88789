//! What the embedded cloud's process writes down about itself, and what `local status` prints.

use std::path::{Path, PathBuf};

use deploy::model::Environment;
use serde::{Deserialize, Serialize};

/// Written by the process once its ports are bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub pid: u32,
    /// Base URL of the APIs and the registry.
    pub endpoint: String,
    /// Base URL of the load balancer.
    pub url: String,
}

/// What `local status` prints, as one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether it runs and answers.
    pub running: bool,
    /// Base URL of the APIs and the registry.
    pub endpoint: Option<String>,
    /// Base URL of the load balancer: of its HTTPS listener, if it has one.
    pub url: Option<String>,
    /// Base URL of its second listener, such as one that redirects to HTTPS.
    pub second: Option<String>,
    /// The certificate of the authority that issues the HTTPS listener's certificates, for `curl --cacert`.
    pub authority: Option<PathBuf>,
    /// What it runs tasks as that start now.
    pub workload: Option<String>,
    /// The account that it is.
    pub account: Option<String>,
    /// The region that it is in.
    pub region: Option<String>,
    pub pid: Option<u32>,
    pub log: PathBuf,
}

impl Status {
    /// Why the environment cannot be served by the cloud that runs: a cloud is one account in one region.
    pub fn mismatch(&self, environment: &Environment) -> Option<String> {
        let (account, region) = (self.account.as_ref()?, self.region.as_ref()?);
        let wanted = environment.account.as_ref().unwrap_or(account);
        (account != wanted || *region != environment.region).then(|| {
            format!(
                "the embedded cloud runs as account {account} in {region}, but deploy.toml expects {wanted} in {}",
                environment.region
            )
        })
    }
}

impl Record {
    /// Reads the record; `None` when there is none or it was cut short by a crash.
    pub fn read(file: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(file).ok()?).ok()
    }

    /// Writes the record whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> std::io::Result<()> {
        let draft = file.with_extension("draft");
        std::fs::write(&draft, serde_json::to_vec(self)?)?;
        std::fs::rename(&draft, file)
    }
}
