//! For tests: the real client against an embedded cloud in this process, on virtual time.

use std::sync::{Arc, Mutex};

use sim::Settings;
use sim::door::clock::SimClock;
use sim::door::cloud::Cloud;
use sim::door::connector::SimHttp;
use sim::fault::Fault;
use sim::workload::scripted::{Scripted, Scripts};

use crate::aws::{Aws, CallOutcome, CallRecord, Connect, Keys, Observer};
use crate::host::{Clock, Http, Rng};

/// An account and a client of it. Make it inside a runtime with paused time.
pub(crate) struct Rehearsal {
    pub(crate) cloud: Cloud,
    pub(crate) aws: Aws,
    records: Arc<Mutex<Vec<CallRecord>>>,
}

impl Rehearsal {
    /// An account with the landing zone and nothing else.
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default(), 1).await
    }

    /// An account with these settings; `seed` is the client's.
    pub(crate) async fn with(settings: Settings, seed: u64) -> Self {
        let region = settings.region.clone();
        let cloud = Cloud::rehearsal(settings, SimClock::virtual_time(), Scripted::new(Scripts::default()));
        let records = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&records);
        let aws = Aws::connect(Connect {
            region,
            endpoint: Some("http://cloud.test".to_owned()),
            keys: Some(Keys { id: "AKID".to_owned(), secret: "secret".to_owned() }),
            http: Http::new(SimHttp::new(cloud.clone())),
            clock: Clock::virtual_from(cloud.clock().millis().0),
            rng: Rng::from_seed(seed),
            observer: Observer::new(move |record| kept.lock().unwrap().push(record.clone())),
            source: None,
        })
        .await;
        Self { cloud, aws, records }
    }

    /// What the observer was called with.
    pub(crate) fn records(&self) -> Vec<CallRecord> {
        self.records.lock().unwrap().clone()
    }

    /// The waits between attempts, in milliseconds.
    pub(crate) fn waits(&self) -> Vec<u64> {
        let wait = |record: CallRecord| match record.outcome {
            CallOutcome::Retried { wait_ms, .. } => Some(wait_ms),
            _ => None,
        };
        self.records().into_iter().filter_map(wait).collect()
    }

    /// How often the account carried out an operation with success.
    pub(crate) fn carried_out(&self, operation: &str) -> usize {
        let done = |outcome: &str| outcome == "ok" || outcome.ends_with(": ok");
        self.cloud.calls().iter().filter(|call| call.operation == operation && done(&call.outcome)).count()
    }
}

/// A proxy's page instead of an answer.
pub(crate) fn proxy_page() -> Fault {
    let body = "<html><head><title>502 Bad Gateway</title></head><body><hr>squid</body></html>".to_owned();
    Fault::Status { code: 403, body, content_type: "text/html".to_owned() }
}
