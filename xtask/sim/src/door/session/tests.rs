//! Sessions over a connection of their own, on virtual time, with a client that is nothing but the format.

use hyper::upgrade::Upgraded;
use serde_json::{Value, json};

use super::super::clock::SimClock;
use super::super::connector::SimHttp;
use super::super::tests::raw::{call, json_call, query_call, read, try_call};
use super::*;
use crate::base::Settings;
use crate::session::testing::{ACKNOWLEDGE, CHANNEL_CLOSED, INPUT, Message as Framed, OUTPUT};
use crate::workload::Printed;
use crate::workload::scripted::{Script, Scripted, Scripts};

const ECS: &str = "AmazonEC2ContainerServiceV20141113";

struct Story {
    cloud: Cloud,
    scripts: Scripts,
    task: String,
}

async fn story() -> Story {
    let scripts = Scripts::default();
    let cloud =
        Cloud::rehearsal(Settings::default(), SimClock::virtual_time(), Scripted::new(scripts.clone()));
    let ecs = |operation: &str, params: Value| call(&cloud, &format!("{ECS}.{operation}"), &params);
    ecs("CreateCluster", json!({ "clusterName": "c" }));
    let container = json!({ "name": "app", "image": "public.ecr.aws/x/y:1" });
    let definition = json!({
        "family": "app", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "256", "memory": "512", "containerDefinitions": [container],
    });
    ecs("RegisterTaskDefinition", definition);
    let asked = Bytes::from_static(b"Action=DescribeSubnets&Version=2016-11-15");
    let (_, subnets) = read(cloud.call(cloud.clock().millis(), &query_call("ec2"), asked));
    let subnet = subnets.split("<subnetId>").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
    let run = json!({
        "cluster": "c", "taskDefinition": "app", "launchType": "FARGATE", "enableExecuteCommand": true,
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": [subnet] } },
    });
    scripts.set("run:app", Script::default());
    let task = ecs("RunTask", run)["tasks"][0]["taskArn"].as_str().unwrap().to_owned();
    sleep(Duration::from_secs(60)).await;
    Story { cloud, scripts, task }
}

impl Story {
    fn execute(&self, command: &str) -> (u16, Value) {
        let asked = json!({ "cluster": "c", "task": self.task, "command": command, "interactive": true });
        let (status, body) = try_call(&self.cloud, &format!("{ECS}.ExecuteCommand"), &asked);
        (status, serde_json::from_str(&body).unwrap())
    }

    async fn session(&self, command: &str) -> Client {
        let (status, reply) = self.execute(command);
        assert_eq!(status, 200, "{reply}");
        let mut client = self.dial(&reply["session"]).await;
        client.shake().await;
        client
    }

    async fn dial(&self, session: &Value) -> Client {
        let stream = SimHttp::new(self.cloud.clone()).dial();
        let url = session["streamUrl"].as_str().unwrap();
        assert!(url.starts_with(
            "wss://ssmmessages.ap-southeast-1.amazonaws.com/v1/data-channel/ecs-execute-command-"
        ));
        let mut socket = open(url, stream).await;
        let token = json!({ "MessageSchemaVersion": "1.0", "TokenValue": session["tokenValue"] });
        socket.send(Message::Text(token.to_string().into())).await.unwrap();
        Client { socket, next: 0, deaf: 0 }
    }
}

/// Asks for a WebSocket as any client does.
async fn open(url: &str, stream: DuplexStream) -> WebSocket<TokioIo<Upgraded>> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    let request = Request::get(url.split_once(".com").unwrap().1)
        .header("host", "ssmmessages.ap-southeast-1.amazonaws.com")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let reply = sender.send_request(request.body(String::new()).unwrap()).await.unwrap();
    assert_eq!(reply.status(), StatusCode::SWITCHING_PROTOCOLS);
    // The example of RFC 6455, 1.3.
    assert_eq!(reply.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    WebSocket::new(TokioIo::new(hyper::upgrade::on(reply).await.unwrap()), Role::Client)
}

struct Client {
    socket: WebSocket<TokioIo<Upgraded>>,
    next: i64,
    /// How many messages get no receipt.
    deaf: usize,
}

impl Client {
    async fn send(&mut self, kind: &str, payload_type: u32, payload: &[u8]) {
        let message = Framed {
            kind: kind.to_owned(),
            created: Millis(1),
            sequence: self.next,
            flags: 0,
            id: "01234567-89ab-4cde-8f01-23456789abcd".to_owned(),
            payload_type,
            payload: payload.to_vec(),
        };
        self.next += i64::from(kind == INPUT);
        self.socket.send(Message::Binary(message.encode().into())).await.unwrap();
    }

    /// The next message that is no receipt; an output message is receipted. Nothing once the connection is closed.
    async fn message(&mut self) -> Option<Framed> {
        loop {
            let Some(Message::Binary(frame)) = self.socket.next().await else { return None };
            let message = Framed::decode(&frame).unwrap();
            match message.kind.as_str() {
                ACKNOWLEDGE => {}
                OUTPUT if self.deaf > 0 => self.deaf -= 1,
                OUTPUT => {
                    let receipt = json!({ "AcknowledgedMessageSequenceNumber": message.sequence });
                    self.send(ACKNOWLEDGE, 0, receipt.to_string().as_bytes()).await;
                    return Some(message);
                }
                _ => return Some(message),
            }
        }
    }

    async fn shake(&mut self) {
        let request = self.message().await.unwrap();
        assert_eq!((request.payload_type, request.sequence, request.flags), (5, 0, 1));
        let asked: Value = serde_json::from_slice(&request.payload).unwrap();
        let kind = &asked["RequestedClientActions"][0];
        assert_eq!(kind["ActionParameters"]["SessionType"], "InteractiveCommands");
        // What comes before the answer is dropped.
        self.send(INPUT, 1, b"too early").await;
        let done =
            json!({ "ActionType": "SessionType", "ActionStatus": 1, "ActionResult": null, "Error": "" });
        let answer = json!({ "ClientVersion": "1.2.0.0", "ProcessedClientActions": [done], "Errors": [] });
        self.send(INPUT, 6, answer.to_string().as_bytes()).await;
        assert_eq!(self.message().await.unwrap().payload_type, 7);
    }

    async fn printed(&mut self) -> String {
        let message = self.message().await.unwrap();
        assert_eq!((message.kind.as_str(), message.payload_type), (OUTPUT, 1));
        String::from_utf8(message.payload).unwrap()
    }

    /// `Output` of the last message, after which the connection is closed.
    async fn closed(&mut self) -> String {
        let message = self.message().await.unwrap();
        assert_eq!(message.kind, CHANNEL_CLOSED, "{message:?}");
        assert!(self.message().await.is_none());
        let content: Value = serde_json::from_slice(&message.payload).unwrap();
        content["Output"].as_str().unwrap().to_owned()
    }
}

fn text(text: &str) -> Printed {
    Printed { text: text.to_owned(), ..Printed::default() }
}

/// A command that repeats what it is given, until Ctrl-C.
fn parrot(exec: &Exec) -> Option<Play> {
    let words = exec.words.join("|");
    (exec.words[0] == "parrot").then(|| {
        let play = move |typed| match typed {
            None => text(&words),
            Some(Typed::Bytes(bytes)) if bytes == [3] => Printed { ends: true, ..text("^C") },
            Some(Typed::Bytes(bytes)) => text(&String::from_utf8_lossy(&bytes)),
            Some(Typed::Size { cols, rows }) => text(&format!("{cols}x{rows}")),
        };
        Box::new(play) as Play
    })
}

#[tokio::test(start_paused = true)]
async fn a_session_carries_what_is_typed_the_terminal_s_size_and_ctrl_c_and_ends_with_its_command() {
    let story = story().await;
    story.scripts.on_command(parrot);
    let mut client = story.session("parrot -x 'a b'").await;
    assert_eq!(client.printed().await, "parrot|-x|a b");
    client.send(INPUT, 3, br#"{"cols":132,"rows":43}"#).await;
    assert_eq!(client.printed().await, "132x43");
    client.send(INPUT, 1, b"hello\r").await;
    assert_eq!(client.printed().await, "hello\r");
    client.send(INPUT, 1, &[3]).await;
    assert_eq!(client.printed().await, "^C");
    assert_eq!(client.closed().await, "");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_loses_messages_gets_them_again_in_order() {
    let story = story().await;
    story.scripts.on_command(parrot);
    let mut client = story.session("parrot").await;
    client.deaf = 5;
    assert_eq!(client.printed().await, "parrot");
    client.deaf = 2;
    client.send(INPUT, 1, b"a").await;
    client.send(INPUT, 1, b"b").await;
    assert_eq!([client.printed().await, client.printed().await], ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_the_container_has_not_is_said_at_the_session_s_end() {
    let story = story().await;
    let mut client = story.session("/bin/bash").await;
    let why = client.closed().await;
    assert!(why.contains("Unable to start command: Failed to start pty: exec: \"/bin/bash\""), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_token_opens_its_session_once() {
    let story = story().await;
    story.scripts.on_command(parrot);
    let (_, reply) = story.execute("parrot");
    let mut stolen = reply["session"].clone();
    stolen["tokenValue"] = json!("00");
    assert!(story.dial(&stolen).await.message().await.is_none());
    let mut client = story.dial(&reply["session"]).await;
    client.shake().await;
    assert_eq!(client.printed().await, "parrot");
    assert!(story.dial(&reply["session"]).await.message().await.is_none(), "used twice");
}

#[tokio::test(start_paused = true)]
async fn a_container_has_two_sessions_at_most_and_one_that_is_left_makes_room() {
    let story = story().await;
    story.scripts.on_command(parrot);
    let (first, _second) = (story.session("parrot").await, story.session("parrot").await);
    let (status, refused) = story.execute("parrot");
    assert_eq!((status, refused["__type"].as_str()), (400, Some("ClientException")), "{refused}");
    drop(first);
    // So long it may come back.
    sleep(BACK_WITHIN + Duration::from_secs(1)).await;
    story.session("parrot").await;
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_its_container_and_after_twenty_idle_minutes() {
    let story = story().await;
    story.scripts.on_command(parrot);
    let mut idle = story.session("parrot").await;
    assert_eq!(idle.printed().await, "parrot");
    let begun = story.cloud.clock().millis();
    assert_eq!(idle.closed().await, "");
    let minutes = story.cloud.clock().millis().since(begun) / 60_000;
    assert_eq!(minutes, 20);
    let mut client = story.session("parrot").await;
    assert_eq!(client.printed().await, "parrot");
    call(&story.cloud, &format!("{ECS}.StopTask"), &json!({ "cluster": "c", "task": story.task }));
    assert_eq!(client.closed().await, "");
    assert_eq!(story.execute("parrot").0, 400);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_ends_the_session_by_a_flag_is_told_goodbye() {
    let story = story().await;
    story.scripts.on_command(parrot);
    let mut client = story.session("parrot").await;
    assert_eq!(client.printed().await, "parrot");
    client.send(INPUT, 10, &[0, 0, 0, 2]).await;
    assert_eq!(client.closed().await, "");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_answers_the_handshake_is_let_go() {
    let story = story().await;
    let (_, reply) = story.execute("parrot");
    let mut client = story.dial(&reply["session"]).await;
    assert_eq!(client.message().await.unwrap().payload_type, 5);
    let begun = story.cloud.clock().millis();
    assert!(client.closed().await.starts_with("Handshake timed out."));
    assert_eq!(story.cloud.clock().millis().since(begun) / 1000, 15);
}

#[tokio::test(start_paused = true)]
async fn a_data_channel_begins_as_a_websocket() {
    let story = story().await;
    let stream = SimHttp::new(story.cloud.clone()).dial();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for (path, status) in [("/v1/data-channel/x", 400), ("/", 404)] {
        let mut head = json_call("x");
        head.uri = path.parse().unwrap();
        let request = Request::from_parts(head, String::new());
        assert_eq!(sender.send_request(request).await.unwrap().status(), status, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_connection_broke_comes_back_and_misses_nothing() {
    let story = story().await;
    story.scripts.on_command(parrot);
    let (_, reply) = story.execute("parrot");
    let session = reply["session"].clone();
    let mut client = story.dial(&session).await;
    client.shake().await;
    assert_eq!(client.printed().await, "parrot");
    let resume = || {
        let asked = json!({ "SessionId": session["sessionId"] });
        call(&story.cloud, "AmazonSSM.ResumeSession", &asked)
    };
    client.send(INPUT, 1, b"typed before").await;
    let next = client.next;
    drop(client);
    sleep(Duration::from_secs(1)).await;
    let again = resume();
    let renewed = json!({ "streamUrl": again["StreamUrl"], "tokenValue": again["TokenValue"] });
    let mut client = Client { next, ..story.dial(&renewed).await };
    assert_eq!(client.printed().await, "typed before", "it got no receipt");
    client.send(INPUT, 1, b"typed after").await;
    assert_eq!(client.printed().await, "typed after");
    drop(client);
    sleep(Duration::from_secs(6)).await;
    assert!(resume().get("TokenValue").is_none(), "it did not come back in time");
    let (status, _) = story.execute("parrot");
    assert_eq!(status, 200, "the container has room for sessions again");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_terminated_ends() {
    let story = story().await;
    story.scripts.on_command(parrot);
    let (_, reply) = story.execute("parrot");
    let mut client = story.dial(&reply["session"]).await;
    client.shake().await;
    assert_eq!(client.printed().await, "parrot");
    call(&story.cloud, "AmazonSSM.TerminateSession", &json!({ "SessionId": reply["session"]["sessionId"] }));
    assert_eq!(client.closed().await, "");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_a_minute_old_opens_no_session() {
    let story = story().await;
    let (_, reply) = story.execute("date");
    sleep(Duration::from_secs(61)).await;
    let mut client = story.dial(&reply["session"]).await;
    assert!(client.message().await.is_none(), "the connection is closed");
}
