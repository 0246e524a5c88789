//! The daemon as its users meet it: over loopback, with real processes, on wall-clock time.
//!
//! The image's program is this very test binary, run for its one ignored test: a small HTTP service that behaves as
//! services on ECS should.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod application;
mod client;
mod tls;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client::Client;
use serde_json::{Value, json};
use sim::door::server::{Bound, ServeOptions, clean_up, serve};
use sim::workload::machine::Kind;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// Longer than a loaded machine needs for anything here; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(90);

struct Daemon {
    state_dir: PathBuf,
    bound: Bound,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Daemon {
    async fn start(name: &str) -> Self {
        let state_dir = std::env::temp_dir().join(format!("sim-daemon-{}-{name}", std::process::id()));
        let mut options = ServeOptions::new(state_dir.clone());
        // The image is this very program, which is linked dynamically.
        options.workload = Kind::Processes;
        (options.endpoint_port, options.alb_port) = (0, 0);
        let (ready, bound) = oneshot::channel();
        let serving = tokio::spawn(serve(options, move |bound| ready.send(*bound).unwrap()));
        Self { state_dir, bound: bound.await.unwrap(), serving }
    }

    /// Stops the daemon and proves that nothing of it is left.
    async fn stop(self, client: &Client) {
        let (status, _) = client.post(self.bound.endpoint, "/_cloud/stop", b"").await;
        assert_eq!(status, 202);
        tokio::time::timeout(PATIENCE, self.serving).await.unwrap().unwrap().unwrap();
        for address in [self.bound.endpoint, self.bound.alb, self.bound.second, self.bound.connect] {
            assert!(std::net::TcpStream::connect(address).is_err(), "{address} still answers");
        }
        assert_eq!(std::fs::read_dir(self.state_dir.join("processes")).unwrap().count(), 0);
        assert!(!self.state_dir.join("scratch").exists());
        std::fs::remove_dir_all(&self.state_dir).unwrap();
    }
}

/// Asks again until the answer will do.
async fn eventually<F: Future<Output = Result<T, String>>, T>(mut ask: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(still) => assert!(Instant::now() < deadline, "{still}"),
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Makes repository, load balancer and rule; gives the target group's ARN.
async fn stage(client: &Client) -> String {
    client
        .json("AmazonEC2ContainerRegistry_V20150921.CreateRepository", json!({ "repositoryName": "app" }))
        .await;
    client.ecs("CreateCluster", json!({ "clusterName": "c" })).await;
    let namespace = json!({ "Name": "ielts.local", "CreatorRequestId": "1" });
    client.json("Route53AutoNaming_v20170314.CreateHttpNamespace", namespace).await;
    eventually(|| async {
        let list = client.json("Route53AutoNaming_v20170314.ListNamespaces", json!({})).await;
        if list["Namespaces"][0]["Name"] == "ielts.local" { Ok(()) } else { Err(list.to_string()) }
    })
    .await;
    let subnets = client.query("ec2", "Action=DescribeSubnets&Version=2016-11-15").await;
    let ids = client::between_all(&subnets, "<subnetId>", "</subnetId>");
    let form = format!(
        "Action=CreateLoadBalancer&Version=2015-12-01&Name=lb&Subnets.member.1={}&Subnets.member.2={}",
        ids[0], ids[1]
    );
    let balancer = client.query("elasticloadbalancing", &form).await;
    let balancer = client::between_all(&balancer, "<LoadBalancerArn>", "</LoadBalancerArn>")[0].clone();
    let vpc = client::between_all(&subnets, "<vpcId>", "</vpcId>")[0].clone();
    let form = format!(
        "Action=CreateTargetGroup&Version=2015-12-01&Name=tg&Protocol=HTTP&Port=8080&TargetType=ip&VpcId={vpc}\
         &HealthCheckPath=%2Fhealth&HealthCheckIntervalSeconds=5&HealthCheckTimeoutSeconds=2"
    );
    let group = client.query("elasticloadbalancing", &form).await;
    let group = client::between_all(&group, "<TargetGroupArn>", "</TargetGroupArn>")[0].clone();
    let form = format!(
        "Action=ModifyTargetGroupAttributes&Version=2015-12-01&TargetGroupArn={}\
         &Attributes.member.1.Key=deregistration_delay.timeout_seconds&Attributes.member.1.Value=1",
        client::escaped(&group)
    );
    client.query("elasticloadbalancing", &form).await;
    let form = format!(
        "Action=CreateListener&Version=2015-12-01&LoadBalancerArn={}&Protocol=HTTP&Port=80\
         &DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn={}",
        client::escaped(&balancer),
        client::escaped(&group)
    );
    client.query("elasticloadbalancing", &form).await;
    group
}

async fn register(client: &Client, image: &str, version: &str) -> String {
    let container = json!({
        "name": "app", "image": image, "essential": true,
        "portMappings": [{ "containerPort": 8080, "name": "app" }],
        "environment": [{ "name": "VERSION", "value": version }],
    });
    let definition = json!({
        "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "256", "memory": "512", "runtimePlatform": { "cpuArchitecture": client::architecture().1 },
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "containerDefinitions": [container],
    });
    let reply = client.ecs("RegisterTaskDefinition", definition).await;
    reply["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
}

/// Creates the service `s` of two tasks.
async fn create(client: &Client, definition: &str, balancers: Value) {
    let subnets = client.query("ec2", "Action=DescribeSubnets&Version=2016-11-15").await;
    let subnet = &client::between_all(&subnets, "<subnetId>", "</subnetId>")[0];
    let service = json!({
        "cluster": "c", "serviceName": "s", "taskDefinition": definition, "desiredCount": 2, "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": [subnet] } },
        "loadBalancers": balancers,
        "serviceConnectConfiguration": {
            "enabled": true,
            "namespace": "ielts.local",
            "services": [{ "portName": "app", "clientAliases": [{ "port": 8080, "dnsName": "app.ielts.local" }] }],
        },
        "deploymentConfiguration": { "minimumHealthyPercent": 100, "maximumPercent": 200 },
    });
    client.ecs("CreateService", service).await;
}

async fn settled(client: &Client, definition: &str) {
    eventually(|| async {
        let reply = client.ecs("DescribeServices", json!({ "cluster": "c", "services": ["s"] })).await;
        let service: Value = reply["services"][0].clone();
        let deployments = service["deployments"].as_array().unwrap();
        let done = deployments.len() == 1
            && deployments[0]["rolloutState"] == "COMPLETED"
            && deployments[0]["taskDefinition"] == definition;
        if done {
            return Ok(());
        }
        let stopped = client.ecs("ListTasks", json!({ "cluster": "c", "desiredStatus": "STOPPED" })).await;
        let why = match stopped["taskArns"].as_array().filter(|tasks| !tasks.is_empty()) {
            Some(tasks) => client.ecs("DescribeTasks", json!({ "cluster": "c", "tasks": tasks })).await,
            None => Value::Null,
        };
        Err(format!("not settled: {service:#}\n{why:#}"))
    })
    .await;
}

/// What came of requests in a row: the bodies of those that succeeded, and the failures.
type Load = JoinHandle<(Vec<String>, Vec<(u16, String)>)>;

fn load(
    client: &Client,
    daemon: &Daemon,
    path: &'static str,
    pause: Duration,
    stop: &Arc<AtomicBool>,
) -> Load {
    let (client, alb, stop) = (client.clone(), daemon.bound.alb, Arc::clone(stop));
    tokio::spawn(async move {
        let (mut bodies, mut failures) = (Vec::new(), Vec::new());
        while !stop.load(Ordering::Relaxed) {
            match client.get(alb, path).await {
                (200, body) => bodies.push(body),
                failure => failures.push(failure),
            }
            sleep(pause).await;
        }
        (bodies, failures)
    })
}

#[tokio::test]
async fn a_roll_under_load_loses_no_request_and_a_stop_leaves_nothing() {
    let daemon = Daemon::start("roll").await;
    let client = Client::new(daemon.bound.endpoint);
    let group = stage(&client).await;
    let image = client.push_self("app").await;
    let first = register(&client, &image, "one").await;
    let balancers = json!([{ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 }]);
    create(&client, &first, balancers).await;
    settled(&client, &first).await;

    let stop = Arc::new(AtomicBool::new(false));
    let quick = load(&client, &daemon, "/version", Duration::from_millis(10), &stop);
    let connected = load(&client, &daemon, "/connect", Duration::from_millis(10), &stop);
    // These are in flight for longer than anything between two steps of the roll.
    let slow = load(&client, &daemon, "/slow", Duration::ZERO, &stop);
    let second = register(&client, &image, "two").await;
    client.ecs("UpdateService", json!({ "cluster": "c", "service": "s", "taskDefinition": second })).await;
    settled(&client, &second).await;
    stop.store(true, Ordering::Relaxed);
    for (load, least) in [(quick, 5), (connected, 5), (slow, 1)] {
        let (bodies, failures) = load.await.unwrap();
        assert!(failures.is_empty(), "{failures:?}");
        assert_eq!((bodies[0].as_str(), bodies[bodies.len() - 1].as_str()), ("one", "two"));
        assert!(bodies.len() > least, "{}", bodies.len());
    }
    daemon.stop(&client).await;
}

#[tokio::test]
async fn a_task_runs_once_after_its_first_container_and_ends_when_it_is_stopped() {
    let daemon = Daemon::start("once").await;
    let client = Client::new(daemon.bound.endpoint);
    stage(&client).await;
    let image = client.push_self("app").await;
    let arn = register(&client, &image, "one").await;
    let described = client.ecs("DescribeTaskDefinition", json!({ "taskDefinition": arn })).await;
    let mut definition = described["taskDefinition"].clone();
    let mut first = definition["containerDefinitions"][0].clone();
    first["name"] = json!("first");
    first["essential"] = json!(false);
    first["portMappings"] = json!([]);
    let containers = definition["containerDefinitions"].as_array_mut().unwrap();
    containers[0]["dependsOn"] = json!([{ "containerName": "first", "condition": "SUCCESS" }]);
    containers.push(first);
    client.ecs("RegisterTaskDefinition", definition).await;
    let subnets = client.query("ec2", "Action=DescribeSubnets&Version=2016-11-15").await;
    let subnet = &client::between_all(&subnets, "<subnetId>", "</subnetId>")[0];
    // The test program lists its tests and ends.
    let list = json!({ "containerOverrides": [{ "name": "first", "command": ["--list"] }] });
    let run = json!({ "cluster": "c", "taskDefinition": "app", "launchType": "FARGATE", "overrides": list,
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": [subnet] } } });
    let task = client.ecs("RunTask", run).await["tasks"][0]["taskArn"].clone();
    let when = async |status: &str| {
        let about = json!({ "cluster": "c", "tasks": [task] });
        let found = client.ecs("DescribeTasks", about).await["tasks"][0].clone();
        if found["lastStatus"] == status { Ok(found) } else { Err(format!("{found:#}")) }
    };
    let running = eventually(|| when("RUNNING")).await;
    let by_name = |task: &Value, name: &str| {
        let containers = task["containers"].as_array().unwrap();
        containers.iter().find(|container| container["name"] == name).unwrap().clone()
    };
    assert_eq!(
        (&by_name(&running, "first")["exitCode"], &by_name(&running, "app")["lastStatus"]),
        (&json!(0), &json!("RUNNING"))
    );
    client.ecs("StopTask", json!({ "cluster": "c", "task": task })).await;
    let stopped = eventually(|| when("STOPPED")).await;
    assert_eq!(stopped["stopCode"], "UserInitiated");
    // SIGTERM may come before the program has its handler.
    let exit_code = by_name(&stopped, "app")["exitCode"].clone();
    assert!([json!(0), json!(143)].contains(&exit_code), "{exit_code}");
    daemon.stop(&client).await;
}

#[tokio::test]
async fn a_second_daemon_with_the_same_state_is_refused_and_another_state_is_no_collision() {
    let daemon = Daemon::start("one").await;
    let other = Daemon::start("two").await;
    assert_ne!(daemon.bound.endpoint, other.bound.endpoint);
    let refused = serve(ServeOptions::new(daemon.state_dir.clone()), |_| {}).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(clean_up(&daemon.state_dir).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    let client = Client::new(daemon.bound.endpoint);
    let (status, said) = client.get(daemon.bound.endpoint, "/_cloud/status").await;
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((status, &said["pid"]), (200, &json!(std::process::id())));
    assert_eq!(said["endpoint"], format!("http://{}", daemon.bound.endpoint));
    daemon.stop(&client).await;
    other.stop(&client).await;
    assert_eq!(clean_up(Path::new(&std::env::temp_dir().join("sim-daemon-none"))).unwrap(), 0);
    std::fs::remove_dir_all(std::env::temp_dir().join("sim-daemon-none")).unwrap();
}

#[tokio::test]
async fn a_page_in_a_browser_can_do_nothing() {
    let daemon = Daemon::start("browser").await;
    let client = Client::new(daemon.bound.endpoint);
    let rebound = format!("evil.example:{}", daemon.bound.endpoint.port());
    for (path, header, value) in [
        ("/_cloud/stop", "origin", "https://evil.example"),
        ("/_cloud/workload/processes", "origin", "null"),
        ("/", "sec-fetch-site", "cross-site"),
        ("/v2/", "sec-fetch-site", "same-site"),
        ("/v2/", "host", &rebound),
        ("/_cloud/stop", "host", &rebound),
    ] {
        let status = client.post_with(header, value, daemon.bound.endpoint, path).await;
        assert_eq!(status, 403, "{path} with {header}: {value}");
    }
    assert_eq!(client.get(daemon.bound.endpoint, "/_cloud/status").await.0, 200);
    daemon.stop(&client).await;
}

#[tokio::test]
async fn who_has_no_password_cannot_fill_the_memory() {
    let daemon = Daemon::start("large").await;
    let client = Client::new(daemon.bound.endpoint);
    static LARGE: [u8; 9 << 20] = [0; 9 << 20];
    for path in ["/", "/v2/app/blobs/uploads/?digest=sha256:00"] {
        assert_eq!(client.post(daemon.bound.endpoint, path, &LARGE).await.0, 413, "{path}");
    }
    daemon.stop(&client).await;
}

/// Asks the daemon for its status as another user, with a program that every system has.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn another_user_of_the_machine_is_refused() {
    if !rustix::process::geteuid().is_root() {
        // Only root can be somebody else. That the tables are read right is tested beside the guard.
        return;
    }
    let daemon = Daemon::start("user").await;
    let client = Client::new(daemon.bound.endpoint);
    let ask = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET /_cloud/status HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n' >&3; \
         head -n 1 <&3",
        port = daemon.bound.endpoint.port()
    );
    for (user, expected) in [(0, "HTTP/1.1 200 OK"), (65_534, "HTTP/1.1 403 Forbidden")] {
        let asked = tokio::process::Command::new("bash").args(["-c", &ask]).uid(user).output().await.unwrap();
        assert_eq!(String::from_utf8_lossy(&asked.stdout).trim(), expected, "user {user}");
    }
    daemon.stop(&client).await;
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn the_tasks_of_a_killed_daemon_die_with_it() {
    let state_dir = std::env::temp_dir().join(format!("sim-daemon-{}-killed", std::process::id()));
    std::fs::create_dir_all(&state_dir).unwrap();
    let mut daemon = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "application::daemon", "--ignored", "--nocapture"])
        .env("STATE_DIR", &state_dir)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let endpoint = eventually(|| async {
        std::fs::read_to_string(state_dir.join("endpoint")).map_err(|error| error.to_string())
    })
    .await;
    let client = Client::new(endpoint.parse().unwrap());
    stage(&client).await;
    let image = client.push_self("app").await;
    let definition = register(&client, &image, "one").await;
    create(&client, &definition, json!([])).await;
    settled(&client, &definition).await;
    let pids: Vec<String> = std::fs::read_dir(state_dir.join("processes"))
        .unwrap()
        .map(|note| note.unwrap().file_name().into_string().unwrap())
        .collect();
    let scratch = std::fs::read_link(state_dir.join("scratch")).unwrap();
    assert!(scratch.exists());
    daemon.kill().await.unwrap();
    let alive = |pid: &String| {
        // A process that has ended but that nobody has waited for still has an id.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z"))
    };
    assert_eq!(pids.len(), 2);
    eventually(|| async {
        if pids.iter().any(alive) { Err(format!("one of {pids:?} is still there")) } else { Ok(()) }
    })
    .await;
    eventually(|| async { if scratch.exists() { Err(scratch.display().to_string()) } else { Ok(()) } }).await;
    clean_up(&state_dir).unwrap();
    assert!(!state_dir.join("scratch").exists());
    std::fs::remove_dir_all(&state_dir).unwrap();
}
