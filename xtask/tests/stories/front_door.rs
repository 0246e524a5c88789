//! The sockets of a story: AWS and the registry go to the embedded cloud, and what is asked of the load
//! balancer's name is routed by its rules to a scripted task, which answers with the name of its service.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use sim::door::cloud::Cloud;
use sim::door::connector::SimHttp;
use sim::testing::{Route, route};
use xtask::host::{ConnectTo, Http, HttpError};

use crate::images::Hub;
use crate::somebody::ecs;

#[derive(Clone, Debug)]
pub(crate) struct FrontDoor {
    cloud: Cloud,
    aws: SimHttp,
    /// What a healthy target answers.
    status: Arc<AtomicU16>,
    /// The name by which every healthy target answers, in place of its service's.
    named: Arc<Mutex<Option<&'static str>>>,
    /// The revisions whose tasks answer with 200 whatever the status is.
    spared: Arc<Mutex<Vec<Value>>>,
    /// Why no connection comes about.
    closed: Arc<Mutex<Option<HttpError>>>,
    /// A registry of others.
    pub(crate) hub: Hub,
    /// Members that AWS's replies lack.
    left_out: Arc<Mutex<Vec<&'static str>>>,
}

impl FrontDoor {
    pub(crate) fn new(cloud: Cloud) -> Self {
        Self {
            aws: SimHttp::new(cloud.clone()),
            cloud,
            status: Arc::new(AtomicU16::new(200)),
            named: Arc::default(),
            spared: Arc::default(),
            closed: Arc::default(),
            hub: Hub::default(),
            left_out: Arc::default(),
        }
    }

    /// A machine's sockets: all of them lead here.
    pub(crate) fn http(&self) -> Http {
        let aws = self.aws.clone();
        Http::new(self.clone()).dialing(move || Box::new(aws.dial()))
    }

    /// From now on healthy targets answer by this name.
    pub(crate) fn answers_as(&self, name: &'static str) {
        *self.named.lock().unwrap() = Some(name);
    }

    /// From now on healthy targets answer the public with this status.
    pub(crate) fn answers(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// The same of tasks whose revisions are registered from now on.
    pub(crate) fn new_revisions_answer(&self, status: u16) {
        let listed = ecs(&self.cloud, "ListTaskDefinitions", &json!({})).unwrap();
        self.spared.lock().unwrap().clone_from(listed["taskDefinitionArns"].as_array().unwrap());
        self.answers(status);
    }

    /// Whether a task of the cluster is of a revision that answers well.
    fn is_spared(&self, task: &str) -> bool {
        let spared = self.spared.lock().unwrap();
        let cluster = |arn: &Value| {
            let asked = json!({ "cluster": arn, "tasks": [task] });
            ecs(&self.cloud, "DescribeTasks", &asked).ok()?["tasks"].get(0).cloned()
        };
        let clusters = || ecs(&self.cloud, "ListClusters", &json!({})).unwrap_or_default();
        !spared.is_empty()
            && clusters()["clusterArns"].as_array().is_some_and(|all| {
                all.iter().filter_map(cluster).any(|it| spared.contains(&it["taskDefinitionArn"]))
            })
    }

    /// From now on the load balancer cannot be reached from here.
    pub(crate) fn closes(&self, error: HttpError) {
        *self.closed.lock().unwrap() = Some(error);
    }

    /// From now on AWS's replies lack this member, wherever it is; `startedBy` is there and says something else.
    pub(crate) fn leaves_out(&self, member: &'static str) {
        self.left_out.lock().unwrap().push(member);
    }

    /// The status and the body, or where it redirects to.
    pub(crate) fn asks(&self, host: &str, path: &str) -> (u16, String) {
        self.public(80, host, path)
    }

    fn public(&self, port: u16, host: &str, path: &str) -> (u16, String) {
        match self.cloud.with_account(|account| route(account, port, "GET", host, path)) {
            // A target that fails its checks is asked when there is no other, and refuses the connection.
            Route::Forward { targets, .. } if targets.iter().any(|target| !target.healthy) => {
                (502, String::new())
            }
            Route::Forward { target_group, targets, .. } if !targets.is_empty() => {
                // `…:targetgroup/ielts-backend-tg/…`: the group's name holds the program's.
                let own = if target_group.contains("backend") { "backend" } else { "frontend" };
                let service = self.named.lock().unwrap().unwrap_or(own);
                let spared = self.is_spared(&targets[0].task);
                let status = if spared { 200 } else { self.status.load(Ordering::Relaxed) };
                (status, format!(r#"{{"status":"UP","service":"{service}","version":"1"}}"#))
            }
            Route::Fixed { status, body, .. } => (status, body),
            Route::Redirect { status, location } => (status, location),
            _ => (503, String::new()),
        }
    }
}

impl HttpConnector for FrontDoor {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = request.try_into_http1x().unwrap();
        let uri = request.uri().clone();
        let host = uri.host().unwrap_or_default().to_owned();
        if host == Hub::HOST {
            let reply = self.hub.answer(&request).map(SdkBody::from);
            return HttpConnectorFuture::ready(Ok(HttpResponse::try_from(reply).unwrap()));
        }
        let to = request.extensions().get::<ConnectTo>().map(|to| to.address.clone());
        let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let address = to.unwrap_or_else(|| format!("{host}:{}", uri.port_u16().unwrap_or(usual)));
        let Some((_, port)) = address.split_once(".elb.amazonaws.com:") else {
            let call = self.aws.call(HttpRequest::try_from(request).unwrap());
            let left_out = self.left_out.lock().unwrap().clone();
            return HttpConnectorFuture::new(
                async move { call.await.map(|reply| without(reply, &left_out)) },
            );
        };
        let closed = self.closed.lock().unwrap().clone();
        // No certificate is issued for the load balancer's own name.
        let nameless = (usual == 443 && host.contains(".elb."))
            .then(|| HttpError::Tls(format!("certificate not valid for name \"{host}\"")));
        if let Some(error) = closed.or(nameless) {
            return HttpConnectorFuture::ready(Err(ConnectorError::io(error.into())));
        }
        let (status, body) = self.public(port.parse().unwrap(), &host, uri.path());
        let reply = http::Response::builder().status(status).body(SdkBody::from(body)).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::try_from(reply).unwrap()))
    }
}

/// The reply of an AWS API without these members.
fn without(reply: HttpResponse, members: &[&'static str]) -> HttpResponse {
    if members.is_empty() {
        return reply;
    }
    let Some(mut json) = reply.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok())
    else {
        return reply;
    };
    for member in members {
        take_out(&mut json, member);
    }
    let status = reply.status().as_u16();
    let reply = http::Response::builder().status(status).body(SdkBody::from(json.to_string())).unwrap();
    HttpResponse::try_from(reply).unwrap()
}

fn take_out(json: &mut Value, member: &str) {
    if let Some(started) = json.get_mut(member).filter(|_| member == "startedBy") {
        *started = Value::from("the-scheduler");
    } else if let Some(object) = json.as_object_mut() {
        object.remove(member);
    }
    match json {
        Value::Array(entries) => entries.iter_mut().for_each(|entry| take_out(entry, member)),
        Value::Object(entries) => entries.values_mut().for_each(|entry| take_out(entry, member)),
        _ => {}
    }
}
