//! The tool's own program in prepared environments: which endpoint each API is asked at, and what is said when
//! there are no usable credentials. What answers is the embedded cloud on a loopback port, and nobody on another.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use deploy::config;
use futures_util::future::join_all;
use sim::Settings;
use sim::door::server::{ServeOptions, serve};
use xtask::host::{Env, Http, Program, Shell};
use xtask::local::{Record, landing_zone};

const FILE: &str = include_str!("../deploy/tests/fixtures/ielts.toml");
/// Nobody listens there.
const NOBODY: &str = "127.0.0.1:1";
/// In the cloud's folder, a line for each call that it answered.
const CALLS: &str = "calls.log";
const KEYS: [&str; 2] = ["AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=hunter2"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("xtask-environment-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What the tool answers with nothing but these variables, for the file of these tests: its exit code and all that it says.
async fn tool(args: &[&str], variables: &[&str]) -> (Option<i32>, String) {
    let file = root().join("xtask/deploy/tests/fixtures/ielts.toml");
    tool_for(&file, args, variables).await
}

async fn tool_for(file: &Path, args: &[&str], variables: &[&str]) -> (Option<i32>, String) {
    let common = ["-i", "HOME=/nonexistent", "PATH=/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED=true"];
    let program = [env!("CARGO_BIN_EXE_xtask"), "--config", file.to_str().unwrap()];
    let all = [&common, variables, &program, args].concat();
    let program = Program::new("/usr/bin/env", &all).in_dir(root());
    let output = Shell::system(&Env::default()).capture(&program).await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.exit.code, String::from_utf8(said).unwrap())
}

/// Runs `test` while the embedded cloud answers at the address that it is given.
async fn with_cloud<F: Future>(name: &str, test: impl FnOnce(String) -> F) {
    let environment = config::load("deploy.toml", FILE, Some("prod")).unwrap().environment;
    let state = folder(name);
    let options = ServeOptions {
        settings: Settings { landing_zone: landing_zone(&environment), ..Settings::default() },
        endpoint_port: 0,
        alb_port: 0,
        log: Box::new(std::fs::File::create(state.join(CALLS)).unwrap()),
        ..ServeOptions::new(state.clone())
    };
    let address = OnceLock::new();
    let (send, mut ready) = tokio::sync::mpsc::unbounded_channel();
    tokio::select! {
        biased;
        ended = serve(options, |bound| send.send(bound.endpoint).unwrap()) => panic!("the cloud ended: {ended:?}"),
        _ = async {
            address.set(ready.recv().await.unwrap()).unwrap();
            test(format!("http://{}", address.get().unwrap())).await;
        } => {}
    }
    std::fs::remove_dir_all(state).unwrap();
}

#[tokio::test]
async fn mistakes_in_the_file_are_data_for_programs() {
    let folder = folder("mistakes");
    let file = folder.join("deploy.toml");
    std::fs::write(&file, FILE.replace("cargo = \"backend\"", "dockerfile = \"nowhere/Dockerfile\""))
        .unwrap();
    let (code, said) = tool_for(&file, &["plan", "--output", "json"], &[]).await;
    let line = said.lines().find(|line| line.starts_with('{')).unwrap();
    let printed: serde_json::Value = serde_json::from_str(line).unwrap();
    let found = &printed["diagnostics"][0];
    assert_eq!(code, Some(2), "{said}");
    let place = ["line", "column"].map(|key| found[key].as_u64().unwrap());
    let at = FILE.lines().position(|line| line.contains("cargo = \"backend\"")).unwrap() as u64 + 1;
    assert_eq!(
        (place, found["path"].as_str()),
        ([at, 24], Some("service.backend.build.dockerfile")),
        "{said}"
    );
    assert_eq!(found["message"], "there is no file `nowhere/Dockerfile`", "{said}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// On GitHub each mistake is one annotation on its line, and the summary lists them; for whoever asks for Markdown too.
#[tokio::test]
async fn mistakes_in_the_file_reach_the_summary_and_are_annotated_once() {
    let folder = folder("summary");
    let (file, summary) = (folder.join("deploy.toml"), folder.join("summary.md"));
    std::fs::write(&file, FILE.replace("cargo = \"backend\"", "dockerfile = \"nowhere/Dockerfile\""))
        .unwrap();
    let to = format!("GITHUB_STEP_SUMMARY={}", summary.display());
    let github = ["GITHUB_ACTIONS=true", &to];
    for args in [&["plan"][..], &["deploy"], &["plan", "--output", "markdown"]] {
        let (code, said) = tool_for(&file, args, &github).await;
        assert_eq!(code, Some(2), "{said}");
        assert_eq!(said.matches("::error").count(), 1, "{args:?}: {said}");
        assert!(said.contains("deploy.toml has 1 mistake; nothing was done"), "{args:?}: {said}");
        let text = std::fs::read_to_string(&summary).unwrap();
        std::fs::remove_file(&summary).unwrap();
        assert!(text.starts_with("## ✗ "), "{args:?}: {text}");
        let row = "deploy.toml:";
        assert!(
            text.contains(row) && text.contains("| there is no file \\`nowhere/Dockerfile\\` |"),
            "{text}"
        );
        assert_eq!(said.contains("## ✗ "), args.contains(&"markdown"), "{said}");
    }
    let (code, said) = tool_for(&file, &["status", "--output", "markdown"], &github).await;
    assert_eq!(
        (code, said.matches("::error::`--output markdown` is for `plan`").count()),
        (Some(2), 1),
        "{said}"
    );
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn one_endpoint_serves_all_and_settings_of_other_tools_do_no_harm() {
    with_cloud("all", async |cloud| {
        let endpoint = format!("AWS_ENDPOINT_URL={cloud}");
        // The loader of the SDK panics on either when it is left to read them.
        let others = ["AWS_RETRY_MODE=legacy", "AWS_MAX_ATTEMPTS=0"];
        let variables = [&KEYS[..], &others, &[endpoint.as_str()]].concat();
        let (code, said) = tool(&["status", "--env", "prod"], &variables).await;
        assert_eq!(code, Some(0), "{said}");
    })
    .await;
}

#[tokio::test]
async fn each_api_is_asked_at_its_own_endpoint() {
    const APIS: [(&str, &str); 9] = [
        ("STS", "sts:GetCallerIdentity"),
        ("EC2", "ec2:Describe"),
        ("IAM", "iam:GetRole"),
        ("CLOUDWATCH_LOGS", "logs:DescribeLogGroups"),
        ("ECS", "ecs:"),
        ("ECR", "ecr:DescribeRepositories"),
        ("ELASTIC_LOAD_BALANCING_V2", "elasticloadbalancing:Describe"),
        ("APPLICATION_AUTO_SCALING", "application-autoscaling:Describe"),
        ("SERVICEDISCOVERY", "servicediscovery:ListNamespaces"),
    ];
    with_cloud("each", async |cloud| {
        let cloud = &cloud;
        let asked = APIS.map(|(api, call)| async move {
            let all = format!("AWS_ENDPOINT_URL={cloud}");
            let one = format!("AWS_ENDPOINT_URL_{api}=http://{NOBODY}");
            let (code, said) =
                tool(&["plan", "--env", "prod"], &[&KEYS[..], &[all.as_str(), one.as_str()]].concat()).await;
            assert_eq!(code, Some(2), "{api}: {said}");
            let line = said.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
            assert!(line.starts_with(&format!("error: {call}")), "{api}: {said}");
            assert!(line.contains(&format!("cannot reach {NOBODY}: connection refused")), "{api}: {said}");
        });
        join_all(asked).await;
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_in_a_profile_is_honoured_also_where_there_is_no_sdk_crate() {
    with_cloud("profile", async |cloud| {
        let folder = folder("profile-files");
        let file = folder.join("config");
        let text = format!(
            "[profile here]\nservices = here\nendpoint_url = {cloud}\naws_access_key_id = AKID\n\
             aws_secret_access_key = hunter2\n[services here]\niam =\n  endpoint_url = http://{NOBODY}\n"
        );
        std::fs::write(&file, text).unwrap();
        let config = format!("AWS_CONFIG_FILE={}", file.display());
        let (code, said) = tool(&["plan", "--env", "prod"], &["AWS_PROFILE=here", &config]).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("error: iam:GetRole got no answer: cannot reach 127.0.0.1:1"), "{said}");
        std::fs::remove_dir_all(folder).unwrap();
    })
    .await;
}

/// The calls of STS that the cloud of a test answered, without their times.
fn sts_calls(name: &str) -> Vec<String> {
    let log = std::fs::read_to_string(folder(name).join(CALLS)).unwrap();
    let calls = log.lines().filter_map(|line| line.split_once(" sts "));
    calls.map(|(_, call)| call.to_owned()).collect()
}

#[tokio::test]
async fn a_chain_of_roles_is_followed_to_its_last_and_a_role_that_refuses_is_named() {
    with_cloud("chain", async |cloud| {
        let folder = folder("chain-files");
        let file = folder.join("config");
        let role = |account: &str, name: &str| format!("role_arn = arn:aws:iam::{account}:role/{name}");
        let text = format!(
            "[profile base]\naws_access_key_id = AKID\naws_secret_access_key = hunter2\n\
             [profile jump]\n{}\nsource_profile = base\n\
             [profile deploy]\n{}\nsource_profile = jump\n\
             [profile foreign]\n{}\nsource_profile = jump\n",
            role("123456789012", "jump"),
            role("123456789012", "deploy"),
            role("999999999999", "theirs"),
        );
        std::fs::write(&file, text).unwrap();
        let files = format!("AWS_CONFIG_FILE={}", file.display());
        let endpoint = format!("AWS_ENDPOINT_URL={cloud}");
        let status =
            async |profile: &str| tool(&["status", "--env", "prod"], &[profile, &files, &endpoint]).await;
        let (code, said) = status("AWS_PROFILE=deploy").await;
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(sts_calls("chain")[..3], ["AssumeRole ok", "AssumeRole ok", "GetCallerIdentity ok"]);

        let (code, said) = status("AWS_PROFILE=foreign").await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("assumed-role/jump/"), "who was refused: {said}");
        assert!(said.contains("sts:AssumeRole on resource: arn:aws:iam::999999999999:role/theirs"), "{said}");
        assert!(said.contains("help: allow sts:AssumeRole"), "{said}");
        std::fs::remove_dir_all(folder).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_job_s_web_identity_takes_its_role_and_a_token_that_is_not_there_is_named() {
    with_cloud("web-identity", async |cloud| {
        let folder = folder("web-identity-files");
        let token = folder.join("token");
        std::fs::write(&token, "e30.e30.e30").unwrap();
        let endpoint = format!("AWS_ENDPOINT_URL={cloud}");
        let status = async |token: &Path| {
            let token = format!("AWS_WEB_IDENTITY_TOKEN_FILE={}", token.display());
            let role = "AWS_ROLE_ARN=arn:aws:iam::123456789012:role/deploy";
            tool(&["status", "--env", "prod"], &[&token, role, &endpoint]).await
        };
        let (code, said) = status(&token).await;
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(sts_calls("web-identity")[..2], ["AssumeRoleWithWebIdentity ok", "GetCallerIdentity ok"]);

        let (code, said) = status(&folder.join("none")).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("web-identity-files/none` cannot be loaded: "), "{said}");
        assert!(said.contains("help: check AWS_WEB_IDENTITY_TOKEN_FILE"), "{said}");
        std::fs::remove_dir_all(folder).unwrap();
    })
    .await;
}

#[tokio::test]
async fn without_credentials_the_sentence_says_so_and_what_to_do() {
    let (code, said) = tool(&["plan", "--env", "prod"], &[]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("error: no AWS credentials were found\n"), "{said}");
    assert!(said.contains("help: sign in (`aws sso login`)"), "{said}");
}

#[tokio::test]
async fn credentials_that_cannot_be_loaded_are_reported_with_the_reason() {
    let folder = folder("broken-profile");
    let file = folder.join("config");
    std::fs::write(&file, "[profile broken]\ncredential_process = /nonexistent/credentials\n").unwrap();
    let config = format!("AWS_CONFIG_FILE={}", file.display());
    let (code, said) = tool(&["plan", "--env", "prod"], &["AWS_PROFILE=broken", &config]).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("error: the AWS credentials of profile `broken` cannot be loaded: "), "{said}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_secret_key_is_in_nothing_that_the_tool_says() {
    let nobody = format!("AWS_ENDPOINT_URL=http://{NOBODY}");
    let variables = [&KEYS[..], &[nobody.as_str(), "AWS_SESSION_TOKEN=hunter3"]].concat();
    for args in [&["plan", "--env", "prod", "--verbose"][..], &["plan", "--env", "prod", "--output", "json"]]
    {
        let (code, said) = tool(args, &variables).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(!said.contains("hunter"), "{said}");
    }
}

#[tokio::test]
async fn a_job_s_credentials_are_hidden_before_anything_is_printed_and_elsewhere_never_named() {
    let keys = ["AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=correct-horse"];
    let args = ["plan", "--config", "/nonexistent/deploy.toml"];
    let (_, in_a_job) = tool(&args, &[&keys[..], &["GITHUB_ACTIONS=true"]].concat()).await;
    assert!(in_a_job.starts_with("::add-mask::correct-horse\n::error::"), "{in_a_job}");
    let (_, elsewhere) = tool(&args, &keys).await;
    assert!(elsewhere.starts_with("error: ") && !elsewhere.contains("correct-horse"), "{elsewhere}");
}

/// The open files of a process, as the system names them.
#[cfg(target_os = "linux")]
fn open_files(pid: u32) -> Vec<PathBuf> {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok()).collect()
}

/// Starts the embedded cloud's own process, with a lock of the shell's among its open files.
async fn cloud_of_a_shell(state: &Path, lock: &Path) -> (tokio::process::Child, Record) {
    // 200 is what the manual of flock(1) uses, and what small shells cannot close.
    let script = "exec 7>\"$1\" 200>&7; exec \"$0\" local serve --state \"$2\" --port 0 --alb-port 0";
    let mut cloud = tokio::process::Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_xtask")])
        .args([lock, state])
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    loop {
        if let Some(record) = Record::read(&state.join("cloud.json")) {
            return (cloud, record);
        }
        assert_eq!(cloud.try_wait().unwrap(), None);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_lock_that_the_shell_holds_is_not_held_by_the_embedded_cloud() {
    let state = folder("lock");
    let lock = state.join("lock-of-the-shell");
    let (cloud, record) = cloud_of_a_shell(&state, &lock).await;
    assert!(lock.exists());
    assert!(!open_files(record.pid).contains(&lock), "{:?}", open_files(record.pid));
    drop(cloud);
    std::fs::remove_dir_all(state).unwrap();
}

#[tokio::test]
async fn the_ids_of_a_running_cloud_cannot_be_guessed_from_another_s() {
    let http = Http::system().unwrap();
    let mut users = Vec::new();
    for name in ["ids-one", "ids-two"] {
        let state = folder(name);
        let (cloud, record) = cloud_of_a_shell(&state, &state.join("lock-of-the-shell")).await;
        let credential = "Credential=AKID/20261128/eu-west-1/sts/aws4_request";
        let request = http::Request::post(&record.endpoint)
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=00"),
            )
            .body(bytes::Bytes::from_static(b"Action=GetCallerIdentity&Version=2011-06-15"))
            .unwrap();
        let reply = http.send(request, Duration::from_secs(30)).await.unwrap();
        let text = String::from_utf8_lossy(reply.body()).into_owned();
        users.push(text.split("UserId>").nth(1).unwrap().to_owned());
        drop(cloud);
        std::fs::remove_dir_all(state).unwrap();
    }
    assert_ne!(users[0], users[1]);
}
