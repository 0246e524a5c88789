//! What the payloads say.

use serde::Deserialize;
use serde_json::{Value, json};

/// `PayloadType` of the messages that are exchanged here; the others belong to port forwarding, to encryption by a key of KMS,
/// and to commands that are not interactive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PayloadType {
    /// What is typed, and what is printed: a terminal has one stream only.
    Output = 1,
    Size = 3,
    HandshakeRequest = 5,
    HandshakeResponse = 6,
    HandshakeComplete = 7,
    Flag = 10,
}

impl PayloadType {
    pub(super) fn numbered(number: u32) -> Option<Self> {
        let all = [
            Self::Output,
            Self::Size,
            Self::HandshakeRequest,
            Self::HandshakeResponse,
            Self::HandshakeComplete,
            Self::Flag,
        ];
        all.into_iter().find(|kind| *kind as u32 == number)
    }
}

/// The size of the client's terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Size {
    pub(crate) cols: u16,
    pub(crate) rows: u16,
}

/// The token in the first frame of a connection, a text.
pub(crate) fn opening(frame: &str) -> Option<String> {
    let value: Value = serde_json::from_str(frame).ok()?;
    value["TokenValue"].as_str().map(str::to_owned)
}

/// What an agent asks of the client first. ECS's sessions are of the type for interactive commands.
pub(crate) fn handshake_request(command: &str) -> Vec<u8> {
    let shell = json!({ "commands": command, "runAsElevated": true });
    let kind = json!({ "SessionType": "InteractiveCommands", "Properties": { "linux": shell } });
    let request = json!({
        "AgentVersion": "3.3.3050.0",
        "RequestedClientActions": [{ "ActionType": "SessionType", "ActionParameters": kind }],
    });
    request.to_string().into_bytes()
}

/// Why the client's answer to the request ends the session, if it does.
pub(crate) fn handshake_refusal(response: &[u8]) -> Option<String> {
    let Ok(response) = serde_json::from_slice::<Value>(response) else {
        return Some("Unmarshalling of HandshakeResponse message failed".to_owned());
    };
    let actions = response["ProcessedClientActions"].as_array();
    let failed = actions.into_iter().flatten().find(|action| action["ActionStatus"] != 1)?;
    Some(format!(
        "{} failed on client with status {} error: {}",
        failed["ActionType"].as_str().unwrap_or_default(),
        failed["ActionStatus"],
        failed["Error"].as_str().unwrap_or_default(),
    ))
}

/// The end of the handshake; the time is in nanoseconds, as Go counts it.
pub(crate) fn handshake_complete(took_ms: u64) -> Vec<u8> {
    json!({ "HandshakeTimeToComplete": took_ms * 1_000_000, "CustomerMessage": "" }).to_string().into_bytes()
}

/// Whether a flag asks for the session's end (`TerminateSession`).
pub(crate) fn is_end(flag: &[u8]) -> bool {
    flag == 2_u32.to_be_bytes()
}
