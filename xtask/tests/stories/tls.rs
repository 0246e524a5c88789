//! Smoke checks over real TLS: the tool's own client against the embedded cloud's HTTPS listener, on this machine's sockets.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deploy::model::Environment;
use sim::door::server::{AUTHORITY, Bound, ServeOptions, serve};
use tokio::sync::oneshot;
use xtask::aws::{Aws, Connect, Keys, Observer};
use xtask::host::{ConnectTo, Env, Host, Http, HttpError};
use xtask::local::landing_zone;

use crate::world::FILE;

const LIMIT: Duration = Duration::from_secs(10);

/// Makes an HTTPS listener that answers 404 by itself.
async fn listener(bound: &Bound, environment: &Environment) {
    let host = Host::rehearsal(1, 1_700_000_000_000, Env::default(), Http::system().unwrap());
    let aws = Aws::connect(Connect {
        region: environment.region.clone(),
        source: None,
        endpoint: Some(format!("http://{}", bound.endpoint)),
        keys: Some(Keys { id: "local".to_owned(), secret: "local".to_owned() }),
        http: host.http.clone(),
        clock: host.clock.clone(),
        rng: host.rng.clone(),
        observer: Observer::none(),
    })
    .await;
    let subnets = aws.describe_subnets("tag:Name", &["ielts-prod-public-1a", "ielts-prod-public-1b"]).await;
    let groups = aws.describe_security_groups("group-name", &["ielts-prod-alb-sg"]).await.unwrap();
    let balancer = deploy::model::spec::LoadBalancerSpec {
        attributes: std::collections::BTreeMap::new(),
        name: "alb".to_owned(),
        subnets: subnets.unwrap().into_iter().map(|subnet| subnet.id).collect(),
        security_groups: groups.into_iter().map(|group| group.id).collect(),
        internal: false,
    };
    let balancer = aws.create_load_balancer(&balancer, &Default::default()).await.unwrap();
    let listener = deploy::model::spec::ListenerSpec {
        load_balancer: "alb".to_owned(),
        port: 443,
        protocol: "HTTPS".to_owned(),
        certificate: Some("arn:aws:acm:ap-southeast-1:123456789012:certificate/0f1e2d3c".to_owned()),
        further_certificates: Vec::new(),
        ssl_policy: None,
        redirect_to: None,
    };
    aws.create_listener(&listener, &balancer.arn, &Default::default()).await.unwrap();
}

async fn ask(url: &str, to: &ConnectTo) -> Result<u16, HttpError> {
    let mut request = http::Request::get(url).body(Bytes::new()).unwrap();
    request.extensions_mut().insert(to.clone());
    Http::system().unwrap().send(request, LIMIT).await.map(|reply| reply.status().as_u16())
}

#[tokio::test]
async fn the_load_balancer_is_asked_by_the_public_name_at_its_own_address() {
    let state_dir = std::env::temp_dir().join(format!("xtask-tls-{}", std::process::id()));
    let mut options = ServeOptions::new(state_dir.clone());
    (options.endpoint_port, options.alb_port) = (0, 0);
    let environment = deploy::config::load("deploy.toml", FILE, Some("prod")).unwrap().environment;
    options.settings.landing_zone = landing_zone(&environment);
    let (ready, bound) = oneshot::channel();
    let daemon = tokio::spawn(serve(options, move |bound| ready.send(*bound).unwrap()));
    let bound = bound.await.unwrap();
    listener(&bound, &environment).await;
    let pem = std::fs::read_to_string(state_dir.join(AUTHORITY)).unwrap();
    let trusting = ConnectTo { address: bound.alb.to_string(), authority: Some(Arc::from(pem)) };

    assert_eq!(ask("https://app.example.com/x", &trusting).await, Ok(404), "the listener's own answer");
    assert_eq!(ask("http://app.example.com/x", &trusting).await, Ok(404), "without TLS");
    let unsent = [
        ("https://127.0.0.9/", trusting.clone(), "a certificate for another name"),
        (
            "https://app.example.com/",
            ConnectTo { authority: None, ..trusting.clone() },
            "an unknown authority",
        ),
        (
            "https://app.example.com/",
            ConnectTo { address: "nobody.invalid:443".to_owned(), ..trusting.clone() },
            "no DNS",
        ),
        (
            "https://app.example.com/",
            ConnectTo { address: "127.0.0.1:1".to_owned(), ..trusting.clone() },
            "nobody listens",
        ),
    ];
    for (url, to, why) in unsent {
        let error = ask(url, &to).await.unwrap_err();
        assert!(error.is_unsent(), "{why}: {error:?}");
    }
    let stop =
        http::Request::post(format!("http://{}/_cloud/stop", bound.endpoint)).body(Bytes::new()).unwrap();
    Http::system().unwrap().send(stop, LIMIT).await.unwrap();
    daemon.await.unwrap().unwrap();
    std::fs::remove_dir_all(&state_dir).unwrap();
}
