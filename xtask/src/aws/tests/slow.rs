//! Replies that come late.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use sim::fault::{Fault, On};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::*;
use crate::aws::{Connect, Keys, Observer};
use crate::host::{Clock, Http, Rng};

/// A JSON service, an XML service, and one without SDK crate.
async fn one_read_each(aws: &Aws) {
    assert_eq!(aws.describe_cluster("c").await.unwrap(), None);
    assert_eq!(aws.get_caller_identity().await.unwrap().account, "123456789012");
    assert!(aws.find_log_groups(&["/ecs/web"]).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_reply_within_30_seconds_is_waited_for_and_a_later_one_is_asked_for_again() {
    for (secs, attempts) in [(7, 1), (20, 1), (40, 2)] {
        let rehearsal = Rehearsal::new().await;
        for operation in ["DescribeClusters", "GetCallerIdentity", "DescribeLogGroups"] {
            rehearsal.cloud.add_rule(On::operation(operation).nth(1..=1).then(Fault::Delay(secs * 1000)));
        }
        let begin = Instant::now();
        one_read_each(&rehearsal.aws).await;
        assert_eq!(rehearsal.records().len(), 3 * attempts, "{secs} s: {:?}", rehearsal.records());
        let each = begin.elapsed().as_secs() / 3;
        assert!((secs.min(30)..=secs.min(30) + 1).contains(&each), "{secs} s: {each} s each");
    }
}

/// On a real socket, where the SDK measures how fast bytes come: virtual time does not show what it makes of that.
#[tokio::test]
async fn a_silent_socket_is_given_up_after_30_seconds_and_then_asked_again() {
    let waits = [(7, 1), (20, 1), (40, 2)].map(async |(secs, attempts)| {
        let (aws, asked) = served_late(Duration::from_secs(secs)).await;
        let begin = Instant::now();
        assert_eq!(aws.get_caller_identity().await.unwrap().account, "123456789012");
        assert_eq!(asked.load(Ordering::Relaxed), attempts, "{secs} s");
        let took = begin.elapsed().as_secs();
        assert!((secs.min(30)..secs.min(30) + 8).contains(&took), "{secs} s: took {took} s");
    });
    join_all(waits).await;
}

/// A client of a server whose first reply is late, and how many requests that got.
async fn served_late(first: Duration) -> (Aws, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let late = if count.fetch_add(1, Ordering::Relaxed) == 0 { first } else { Duration::ZERO };
            tokio::spawn(async move {
                let read = socket.read(&mut [0; 8192]).await.unwrap();
                assert!(read > 0);
                tokio::time::sleep(late).await;
                let body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>\
                            </GetCallerIdentityResult></GetCallerIdentityResponse>";
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                // Whoever gave up has closed it.
                let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
            });
        }
    });
    let aws = Aws::connect(Connect {
        region: "eu-west-1".to_owned(),
        endpoint: Some(format!("http://127.0.0.1:{port}")),
        keys: Some(Keys { id: "AKID".to_owned(), secret: "secret".to_owned() }),
        http: Http::system().unwrap(),
        clock: Clock::system(),
        rng: Rng::from_seed(1),
        observer: Observer::none(),
        source: None,
    })
    .await;
    (aws, asked)
}
