//! How AWS is reached: credentials, endpoints, time limits.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::os_shim_internal::{Env, Fs};
use bytes::Bytes;
use tokio::sync::{OnceCell, Semaphore};

use super::error::Source;
use super::lite::{Api, Lite};
use super::{Caller, Observer, Policy};
use crate::host::{Clock, Http, Rng};

/// How long one attempt may take, credentials included. Creating a load balancer is the slowest call, a few seconds;
/// behind a busy proxy it takes several times as long.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// A clock that cannot be compared is one line of `doctor`, which should not keep the others waiting.
const DATE_TIMEOUT: Duration = Duration::from_secs(10);
/// Calls in flight at one time: enough for the reads of an account with two services to go out at once, and few of one
/// operation, each of which has a bucket of its own.
const CONCURRENCY: usize = 24;

#[derive(Clone, Debug)]
pub struct Connect {
    pub region: String,
    /// An endpoint for every API, over whatever the environment or a profile says.
    pub endpoint: Option<String>,
    /// Keys to use instead of the usual chain (environment, profiles, SSO, web identity, container, instance).
    pub keys: Option<Keys>,
    pub http: Http,
    pub clock: Clock,
    pub rng: Rng,
    pub observer: Observer,
    /// Where the environment says that credentials are, for errors; the credential chain finds them by itself.
    pub source: Option<Source>,
}

#[derive(Clone)]
pub struct Keys {
    pub id: String,
    pub secret: String,
}

impl Keys {
    fn credentials(&self) -> Credentials {
        Credentials::new(&self.id, &self.secret, None, None, "xtask")
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// AWS, by the operations that the tool uses: domain types in and out, errors classified, every attempt reported.
#[derive(Clone, Debug)]
pub struct Aws {
    pub(in crate::aws) ecs: aws_sdk_ecs::Client,
    pub(in crate::aws) ecr: aws_sdk_ecr::Client,
    pub(in crate::aws) elb: aws_sdk_elasticloadbalancingv2::Client,
    pub(in crate::aws) scaling: aws_sdk_applicationautoscaling::Client,
    pub(in crate::aws) cloudmap: aws_sdk_servicediscovery::Client,
    pub(in crate::aws) sts: aws_sdk_sts::Client,
    pub(in crate::aws) lite: Lite,
    pub(in crate::aws) retry: Policy,
    pub(in crate::aws) rng: Rng,
    pub(in crate::aws) clock: Clock,
    pub(in crate::aws) observer: Observer,
    pub(in crate::aws) permits: Arc<Semaphore>,
    pub(in crate::aws) caller: Arc<OnceCell<Caller>>,
    /// The cluster has so many tasks that they are better listed by service.
    pub(in crate::aws) is_crowded: Arc<AtomicBool>,
    /// What an error about credentials names.
    pub(in crate::aws) source: Option<Source>,
    http: Http,
    region: String,
}

impl Aws {
    /// Makes the clients. Nothing is sent and no credentials are read until the first call.
    pub async fn connect(connect: Connect) -> Self {
        let config = match (&connect.endpoint, &connect.keys) {
            (Some(endpoint), Some(keys)) => closed(&connect, endpoint, keys),
            _ => open(&connect).await,
        };
        Self {
            ecs: aws_sdk_ecs::Client::new(&config),
            ecr: aws_sdk_ecr::Client::new(&config),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(&config),
            scaling: aws_sdk_applicationautoscaling::Client::new(&config),
            cloudmap: aws_sdk_servicediscovery::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            lite: Lite::new(config, connect.endpoint),
            retry: Policy::default(),
            rng: connect.rng.stream("aws.retry"),
            clock: connect.clock,
            observer: connect.observer,
            permits: Arc::new(Semaphore::new(CONCURRENCY)),
            // Asked once: who calls cannot change within a run, and every plan needs it.
            caller: Arc::default(),
            is_crowded: Arc::default(),
            source: match connect.source {
                Some(Source::Profile { name, .. }) => Some(profile(name).await),
                source => source,
            },
            http: connect.http,
            region: connect.region,
        }
    }

    /// By how many seconds this machine's clock is ahead of AWS's, by the `Date` of any answer. The request is not signed: a wrong
    /// clock would make AWS refuse it.
    ///
    /// # Errors
    /// A sentence, when nothing answers or an answer has no date.
    pub async fn clock_ahead_secs(&self) -> Result<i64, String> {
        let url = self.lite.address(Api::Ec2).url;
        let request = http::Request::head(&url).body(Bytes::new()).map_err(|error| error.to_string())?;
        let before = self.clock.now_ms();
        let reply = self.http.send(request, DATE_TIMEOUT).await.map_err(|error| format!("{url}: {error}"))?;
        // Half a round trip ago, when the answer was written.
        let here = before.midpoint(self.clock.now_ms()) / 1_000;
        let date = reply.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        let there = date.ok_or_else(|| format!("{url} sends no date"))?.secs();
        Ok(i64::try_from(here).unwrap_or(i64::MAX).saturating_sub(there))
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    /// The moment, in milliseconds since the Unix epoch, by the clock that calls are signed with.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }
}

/// The profile whose credentials are used in the end: a role's `source_profile`, and so on.
///
/// The chain of credentials passes over a profile that does not exist, and says nothing of it.
async fn profile(mut name: String) -> Source {
    let files = EnvConfigFiles::default();
    let found = aws_config::profile::load(&Fs::real(), &Env::real(), &files, None).await;
    // A file that cannot be read is the credential chain's own error.
    let Ok(set) = found else { return Source::Profile { name, exists: true } };
    let mut seen = BTreeSet::new();
    // Roles may assume each other in a circle, which is the credential chain's own error.
    while seen.insert(name.clone())
        && let Some(source) = set.get_profile(&name).and_then(|found| found.get("source_profile"))
    {
        name = source.to_owned();
    }
    let exists = set.get_profile(&name).is_some();
    Source::Profile { name, exists }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build()
}

/// Off: the SDK's default ends a call whose reply takes more than about five seconds as too slow a download. AWS's
/// replies are small and come at once or late; the limit for an attempt covers both.
fn stalled_streams() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::disabled()
}

/// A configuration that reads nothing from the machine: for an endpoint and keys that are both given.
fn closed(connect: &Connect, endpoint: &str, keys: &Keys) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(connect.region.clone()))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(keys.credentials()))
        .identity_cache(IdentityCache::lazy().time_source(connect.clock.clone()).build())
        .http_client(connect.http.sdk())
        .time_source(connect.clock.clone())
        .sleep_impl(connect.clock.sdk_sleep())
        .timeout_config(timeouts())
        .stalled_stream_protection(stalled_streams())
        // Ours are seeded and reported (`aws/retry.rs`): the SDK's would hide attempts and make stories differ.
        .retry_config(RetryConfig::disabled())
        .build()
}

/// The usual configuration: environment, profiles and the chain of credentials.
async fn open(connect: &Connect) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(connect.region.clone()))
        .http_client(connect.http.sdk())
        .time_source(connect.clock.clone())
        .sleep_impl(connect.clock.sdk_sleep())
        .timeout_config(timeouts())
        .stalled_stream_protection(stalled_streams())
        // Given, because the loader panics on AWS_RETRY_MODE=legacy and on AWS_MAX_ATTEMPTS=0, which other tools
        // accept. These retries serve the credential providers only.
        .retry_config(RetryConfig::standard());
    if let Some(endpoint) = &connect.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(keys) = &connect.keys {
        loader = loader.credentials_provider(keys.credentials());
    }
    loader.load().await.into_builder().retry_config(RetryConfig::disabled()).build()
}
