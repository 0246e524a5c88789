//! Tasks of the embedded cloud as containers of a real Docker.

use serde_json::{Value, json};
use sim::door::server::{Bound, ServeOptions, Sidecar, serve};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use xtask::aws::{Aws, Connect, Keys, Observer};
use xtask::exec::{Streams, Target, run};

use super::*;

/// Longer than a loaded machine needs for anything here; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the containers of the task do, by their first argument.
const PROGRAM: &str = r#"
use std::io::{Read, Write};
fn main() {
    let doing = std::env::args().nth(1).unwrap_or_default();
    match doing.as_str() {
        "writes" => std::fs::write("/shared/word", "written by the other container\n").unwrap(),
        "reads" => loop {
            if let Ok(word) = std::fs::read_to_string("/shared/word") {
                if !word.is_empty() {
                    print!("{word}");
                    break;
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        },
        "routes" => {
            let configuration = std::fs::read_to_string("/fluent-bit/etc/fluent-bit.conf").unwrap();
            print!("{configuration}");
            let socket = std::os::unix::net::UnixListener::bind("/var/run/fluent.sock").unwrap();
            for stream in socket.incoming() {
                std::thread::spawn(move || {
                    let (mut stream, mut piece) = (stream.unwrap(), [0; 4096]);
                    while let Ok(length @ 1..) = stream.read(&mut piece) {
                        println!("{}", String::from_utf8_lossy(&piece[..length]));
                    }
                });
            }
        }
        _ => println!("{doing}"),
    }
    std::io::stdout().flush().unwrap();
    loop {
        std::thread::park();
    }
}
"#;

struct Cloud {
    bound: Bound,
    aws: Aws,
    serving: JoinHandle<std::io::Result<()>>,
    http: reqwest::Client,
}

impl Cloud {
    async fn start(bench: &Bench) -> Self {
        let mut options = ServeOptions::new(bench.folder.join("cloud"));
        (options.endpoint_port, options.alb_port) = (0, 0);
        let arguments = ["local", "sidecar"].map(str::to_owned).to_vec();
        options.sidecar = Some(Sidecar { program: env!("CARGO_BIN_EXE_xtask").into(), arguments });
        let (ready, bound) = oneshot::channel();
        let serving = tokio::spawn(serve(options, move |bound| ready.send(*bound).unwrap()));
        let bound = bound.await.unwrap();
        let aws = Aws::connect(Connect {
            region: "ap-southeast-1".to_owned(),
            endpoint: Some(format!("http://{}", bound.endpoint)),
            keys: Some(Keys { id: "local".to_owned(), secret: "local".to_owned() }),
            http: bench.host.http.clone(),
            clock: bench.host.clock.clone(),
            rng: bench.host.rng.clone(),
            observer: Observer::none(),
            source: None,
        });
        Self { bound, aws: aws.await, serving, http: reqwest::Client::new() }
    }

    /// Sends a request as it would be signed for a service.
    async fn post(&self, service: &str, headers: &[(&str, &str)], body: String) -> String {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=local/20260101/ap-southeast-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request =
            self.http.post(format!("http://{}/", self.bound.endpoint)).header("authorization", credential);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let reply = request.body(body).send().await.unwrap();
        let (status, text) = (reply.status(), reply.text().await.unwrap());
        assert!(status.is_success(), "{headers:?}: {text}");
        text
    }

    async fn call(&self, target: &str, params: Value) -> Value {
        let headers = [("x-amz-target", target), ("content-type", "application/x-amz-json-1.1")];
        serde_json::from_str(&self.post("any", &headers, params.to_string()).await).unwrap_or_default()
    }

    async fn ecs(&self, operation: &str, params: Value) -> Value {
        self.call(&format!("AmazonEC2ContainerServiceV20141113.{operation}"), params).await
    }

    async fn push(&self, bench: &Bench, image: &Image) -> String {
        let ecr = |operation: &str| format!("AmazonEC2ContainerRegistry_V20150921.{operation}");
        self.call(&ecr("CreateRepository"), json!({ "repositoryName": "app" })).await;
        let reply = self.call(&ecr("GetAuthorizationToken"), json!({})).await;
        let token = reply["authorizationData"][0]["authorizationToken"].as_str().unwrap().to_owned();
        let registry = Registry {
            base_url: format!("http://{}", self.bound.endpoint),
            repository: "app".to_owned(),
            credential: Some(Credential::of_header(&format!("Basic {token}"))),
        };
        push(&bench.host, &registry, image, &Tag { name: "one".to_owned(), otherwise: None }, &|_| {})
            .await
            .unwrap();
        format!("{}/app@{}", self.bound.endpoint, image.digest)
    }

    async fn subnet(&self) -> String {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let text = self.post("ec2", &headers, "Action=DescribeSubnets&Version=2016-11-15".to_owned()).await;
        text.split("<subnetId>").nth(1).unwrap().split('<').next().unwrap().to_owned()
    }

    async fn lines(&self, stream: &str) -> String {
        let asked = json!({ "logGroupName": "/ecs/app", "logStreamName": stream });
        let events = self.call("Logs_20140328.GetLogEvents", asked).await;
        let events = events["events"].as_array().cloned().unwrap_or_default();
        events.iter().filter_map(|event| event["message"].as_str()).collect::<Vec<_>>().join("\n")
    }

    async fn stop(self) {
        self.http.post(format!("http://{}/_cloud/stop", self.bound.endpoint)).send().await.unwrap();
        tokio::time::timeout(PATIENCE, self.serving).await.unwrap().unwrap().unwrap();
    }
}

/// Asks again until there is an answer.
async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("{what}"))
}

#[tokio::test]
#[ignore = "needs docker-registry and Docker: `cargo xtask ci` runs it"]
async fn containers_of_docker_share_a_volume_and_a_log_router_and_a_session_leaves_nothing_in_them() {
    let bench = Bench::new("tasks").await;
    let cloud = Cloud::start(&bench).await;
    let image = of_program(&bench.compiled(PROGRAM).await);
    let image = cloud.push(&bench, &image).await;
    cloud.call("Logs_20140328.CreateLogGroup", json!({ "logGroupName": "/ecs/app" })).await;
    cloud.ecs("CreateCluster", json!({ "clusterName": "c" })).await;
    let logs = json!({ "logDriver": "awslogs", "options": {
        "awslogs-group": "/ecs/app", "awslogs-region": "ap-southeast-1", "awslogs-stream-prefix": "ecs" } });
    let shared = json!([{ "sourceVolume": "shared", "containerPath": "/shared" }]);
    let containers = json!([
        { "name": "reader", "image": image, "command": ["reads"], "mountPoints": shared,
          "logConfiguration": { "logDriver": "awsfirelens", "options": { "Name": "stdout" } } },
        { "name": "writer", "image": image, "command": ["writes"], "mountPoints": shared, "user": "0",
          "logConfiguration": logs },
        { "name": "router", "image": image, "command": ["routes"], "logConfiguration": logs,
          "firelensConfiguration": { "type": "fluentbit" } },
    ]);
    let definition = json!({ "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "256", "memory": "512", "containerDefinitions": containers, "volumes": [{ "name": "shared" }],
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "runtimePlatform": { "cpuArchitecture": if cfg!(target_arch = "aarch64") { "ARM64" } else { "X86_64" } } });
    cloud.ecs("RegisterTaskDefinition", definition).await;
    let network = json!({ "awsvpcConfiguration": { "subnets": [cloud.subnet().await] } });
    let asked = json!({ "cluster": "c", "taskDefinition": "app", "launchType": "FARGATE",
        "enableExecuteCommand": true, "networkConfiguration": network });
    let task = cloud.ecs("RunTask", asked).await["tasks"][0]["taskArn"].as_str().unwrap().to_owned();
    let described = json!({ "cluster": "c", "tasks": [task] });
    eventually("the task runs", async || {
        let found = cloud.ecs("DescribeTasks", described.clone()).await["tasks"][0].clone();
        assert_ne!(found["lastStatus"], "STOPPED", "{found:#}");
        (found["lastStatus"] == "RUNNING").then_some(())
    })
    .await;
    let id = task.rsplit('/').next().unwrap();
    let routed = eventually("the reader's line comes to the router", async || {
        let routed = cloud.lines(&format!("ecs/router/{id}")).await;
        routed.contains("written by the other container").then_some(routed)
    })
    .await;
    assert!(routed.contains("Match reader-firelens*"), "{routed}");
    assert!(routed.contains(&format!("reader-firelens-{id}")), "the line's tag: {routed}");

    let container = format!("ecs-app-1-reader-{}", &id[..12]);
    let processes = async || bench.run("docker", &["top", &container, "-eo", "pid,user,args"]).await;
    let target = Target {
        cluster: "c".to_owned(),
        task: task.clone(),
        container: "reader".to_owned(),
        takes_commands: true,
    };
    let command = ["/app/program", "stays"].map(str::to_owned);
    let (_open, input) = mpsc::channel(1);
    let mut output = |_: &[u8]| Ok(());
    let streams = Streams { input: Some(input), output: &mut output, terminal: false, signals: None };
    let session = run(&bench.host, &cloud.aws, &target, &command, streams);
    let started = eventually("the command runs", async || {
        let processes = processes().await;
        let line = processes.lines().find(|line| line.contains("stays"))?;
        assert!(line.contains("65532"), "it is the image's user: {line}");
        Some(())
    });
    tokio::select! {
        ended = session => panic!("{ended:?}"),
        () = started => {}
    }
    // Its client has left.
    eventually("the command ends", async || (!processes().await.contains("stays")).then_some(())).await;
    assert!(processes().await.contains("reads"), "the container's own process stays");
    cloud.stop().await;
    let left = bench.run("docker", &["ps", "--all", "--quiet", "--filter", "name=ecs-app-1"]).await;
    assert_eq!(left.trim(), "", "containers of the task");
    let left = bench.run("docker", &["volume", "ls", "--quiet", "--filter", "name=ecs-app-1"]).await;
    assert_eq!(left.trim(), "", "volumes of the task");
}
