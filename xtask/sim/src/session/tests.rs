//! The channel against the format as the agent's sources have it, and against a client that loses and repeats.

use serde_json::{Value, json};

use super::channel::Received;
use super::message::{ACKNOWLEDGE, INPUT, Message};
use super::*;
use crate::clock::Millis;

const NOW: Millis = Millis(1_790_000_000_000);

fn channel() -> Channel {
    Channel::new("ecs-execute-command-0a", 7)
}

fn typed(sequence: i64, text: &str) -> Vec<u8> {
    input(sequence, 1, text.as_bytes())
}

fn input(sequence: i64, payload_type: u32, payload: &[u8]) -> Vec<u8> {
    let message = Message {
        kind: INPUT.to_owned(),
        created: NOW,
        sequence,
        flags: 0,
        id: "01234567-89ab-4cde-8f01-23456789abcd".to_owned(),
        payload_type,
        payload: payload.to_vec(),
    };
    message.encode()
}

fn receipt_of(sequence: i64) -> Vec<u8> {
    let content = json!({ "AcknowledgedMessageType": "output_stream_data", "AcknowledgedMessageId": "x",
        "AcknowledgedMessageSequenceNumber": sequence, "IsSequentialMessage": true });
    let message = Message {
        kind: ACKNOWLEDGE.to_owned(),
        created: NOW,
        sequence: 0,
        flags: 3,
        id: "01234567-89ab-4cde-8f01-23456789abcd".to_owned(),
        payload_type: 0,
        payload: content.to_string().into_bytes(),
    };
    message.encode()
}

fn texts(received: &Received) -> Vec<String> {
    received.payloads.iter().map(|(_, payload)| String::from_utf8_lossy(payload).into_owned()).collect()
}

#[test]
fn a_message_is_laid_out_as_the_agent_lays_it_out() {
    let frame = typed(258, "ls\r");
    assert_eq!(frame.len(), 123);
    assert_eq!(frame[..4], [0, 0, 0, 116], "the header's length leaves out the payload's");
    assert_eq!(&frame[4..36], b"input_stream_data               ");
    assert_eq!(frame[36..40], [0, 0, 0, 1]);
    assert_eq!(frame[40..48], NOW.0.to_be_bytes());
    assert_eq!(frame[48..56], [0, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!(frame[56..64], [0; 8]);
    let halves = [0x8f, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0x4c, 0xde];
    assert_eq!(frame[64..80], halves, "the id's second half comes first");
    let digest: String = frame[80..112].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(format!("sha256:{digest}"), crate::ecr::digest_of(b"ls\r"));
    assert_eq!(frame[112..], [0, 0, 0, 1, 0, 0, 0, 3, b'l', b's', b'\r']);
    let read = Message::decode(&frame).unwrap();
    assert_eq!((read.kind.as_str(), read.sequence, read.payload.as_slice()), (INPUT, 258, &b"ls\r"[..]));
    assert_eq!(read.id, "01234567-89ab-4cde-8f01-23456789abcd");
}

#[test]
fn a_message_that_was_cut_or_changed_gets_no_receipt() {
    let frame = typed(0, "ls\r");
    let mut changed = frame.clone();
    changed[121] = b'm';
    let mut header = frame.clone();
    header[3] = 255;
    for broken in [&frame[..60], &frame[..122], &[], &changed, &header] {
        assert_eq!(channel().receive(NOW, broken, true), Received::default(), "{broken:?}");
    }
    let mut nul = frame;
    nul[4 + INPUT.len()..36].fill(0);
    assert_eq!(texts(&channel().receive(NOW, &nul, true)), ["ls\r"], "a type may be padded with NUL too");
}

#[test]
fn what_comes_early_is_kept_and_what_comes_twice_is_receipted_and_dropped() {
    let mut channel = channel();
    let early = channel.receive(NOW, &typed(2, "c"), true);
    assert!(early.receipt.is_some() && early.payloads.is_empty());
    assert_eq!(texts(&channel.receive(NOW, &typed(0, "a"), true)), ["a"]);
    assert_eq!(texts(&channel.receive(NOW, &typed(1, "b"), true)), ["b", "c"]);
    for again in 0..3 {
        let received = channel.receive(NOW, &typed(again, "again"), true);
        assert!(received.receipt.is_some() && received.payloads.is_empty(), "{again}");
    }
    assert_eq!(texts(&channel.receive(NOW, &typed(3, "d"), true)), ["d"]);
    assert_eq!(channel.receive(NOW, &typed(4, "e"), false), Received::default(), "no room, and no receipt");
    assert_eq!(texts(&channel.receive(NOW, &typed(4, "e"), true)), ["e"], "sent again");
}

#[test]
fn a_receipt_names_the_message_that_it_is_for() {
    let received = channel().receive(NOW, &typed(0, "a"), true);
    let receipt = Message::decode(&received.receipt.unwrap()).unwrap();
    assert_eq!((receipt.kind.as_str(), receipt.sequence, receipt.flags), (ACKNOWLEDGE, 0, 3));
    let content: Value = serde_json::from_slice(&receipt.payload).unwrap();
    assert_eq!(
        content,
        json!({ "AcknowledgedMessageType": "input_stream_data",
            "AcknowledgedMessageId": "01234567-89ab-4cde-8f01-23456789abcd",
            "AcknowledgedMessageSequenceNumber": 0, "IsSequentialMessage": true })
    );
}

#[test]
fn what_gets_no_receipt_is_sent_again_oldest_first_and_unchanged() {
    let mut channel = channel();
    let first = channel.send(NOW, PayloadType::Output, b"a");
    let second = channel.send(NOW, PayloadType::Output, b"b");
    let flags = |frame: &[u8]| Message::decode(frame).unwrap().flags;
    assert_eq!((flags(&first), flags(&second)), (1, 0), "SYN is on the first message only");
    assert_eq!(channel.resend(NOW.plus_millis(199)), None);
    assert_eq!(channel.resend(NOW.plus_millis(200)).as_deref(), Some(&first[..]));
    assert_eq!(channel.resend(NOW.plus_millis(201)), None);
    channel.receive(NOW.plus_millis(210), &receipt_of(0), true);
    assert_eq!(channel.resend(NOW.plus_millis(600)).as_deref(), Some(&second[..]));
    channel.receive(NOW.plus_millis(610), &receipt_of(9), true);
    assert_eq!(channel.in_flight(), 1, "a receipt for nothing that was sent");
    channel.receive(NOW.plus_millis(620), &receipt_of(1), true);
    assert_eq!((channel.in_flight(), channel.resend_at()), (0, None));
}

#[test]
fn a_slow_client_is_waited_for_longer_and_never_longer_than_a_second() {
    let mut channel = channel();
    for sequence in 0..20 {
        let sent = NOW.plus_secs(60 * sequence as u64);
        channel.send(sent, PayloadType::Output, b"a");
        channel.receive(sent.plus_millis(700), &receipt_of(sequence), true);
    }
    channel.send(NOW, PayloadType::Output, b"a");
    let waits = channel.resend_at().unwrap().since(NOW);
    assert!((701..=1000).contains(&waits), "{waits}");
}

#[test]
fn the_last_message_says_why() {
    let frame = channel().close(NOW, "no such file");
    let message = Message::decode(&frame).unwrap();
    let content: Value = serde_json::from_slice(&message.payload).unwrap();
    assert_eq!((message.kind.as_str(), message.flags), ("channel_closed", 3));
    assert_eq!(content["Output"], "no such file");
    assert_eq!(content["SessionId"], "ecs-execute-command-0a");
}

#[test]
fn a_client_that_refuses_the_session_s_type_is_quoted() {
    let answer = |status: u8| {
        let action = json!({ "ActionType": "SessionType", "ActionStatus": status, "ActionResult": null, "Error": "what?" });
        handshake_refusal(
            json!({ "ClientVersion": "1.2.0.0", "ProcessedClientActions": [action] }).to_string().as_bytes(),
        )
    };
    assert_eq!(answer(1), None);
    assert_eq!(answer(3).as_deref(), Some("SessionType failed on client with status 3 error: what?"));
    assert!(handshake_refusal(b"nonsense").is_some());
}

#[test]
fn a_command_s_words_are_a_shell_s() {
    for (text, words) in [
        ("/bin/sh", &["/bin/sh"][..]),
        ("  ls   -l\t/tmp ", &["ls", "-l", "/tmp"]),
        (r#"/bin/sh -c "echo \"$HOME\" 'a b'""#, &["/bin/sh", "-c", r#"echo "$HOME" 'a b'"#]),
        (r"sh -c 'it'\''s' ''", &["sh", "-c", "it's", ""]),
        (r#"printf "a\nb" c\ d"#, &["printf", r"a\nb", "c d"]),
        (r#"echo "open quote"#, &["echo", "open quote"]),
        ("", &[]),
    ] {
        assert_eq!(split(text), words, "{text}");
    }
}
