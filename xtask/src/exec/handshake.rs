//! What the agent asks for before the command starts, and what is answered.

use serde::Deserialize;
use serde_json::{Value, json};

/// The plugin's: agents switch features on by it.
pub(super) const CLIENT_VERSION: &str = "1.2.0.0";

const SUCCESS: u8 = 1;
const UNSUPPORTED: u8 = 3;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(default)]
    requested_client_actions: Vec<Action>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Action {
    action_type: String,
}

/// The answer to a handshake request.
pub(super) struct Answer {
    pub(super) payload: Vec<u8>,
    /// The cluster encrypts sessions with a key of KMS, which this client does not do.
    pub(super) is_encrypted: bool,
}

/// The first message of the WebSocket, which is text.
pub(super) fn opening(token: &str, request_id: &str, client_id: &str) -> String {
    json!({
        "MessageSchemaVersion": "1.0",
        "RequestId": request_id,
        "TokenValue": token,
        "ClientId": client_id,
        "ClientVersion": CLIENT_VERSION,
    })
    .to_string()
}

/// An unreadable request gets an answer without actions: the agent then says what it misses.
pub(super) fn answer(request: &[u8]) -> Answer {
    let request: Option<Request> = serde_json::from_slice(request).ok();
    let actions = request.map(|request| request.requested_client_actions).unwrap_or_default();
    let mut errors = Vec::new();
    let processed: Vec<Value> = actions
        .iter()
        .map(|action| {
            let kind = &action.action_type;
            if kind == "SessionType" {
                return json!({ "ActionType": kind, "ActionStatus": SUCCESS, "ActionResult": null, "Error": "" });
            }
            let error = format!("Unsupported action {kind}");
            errors.push(error.clone());
            json!({ "ActionType": kind, "ActionStatus": UNSUPPORTED, "ActionResult": null, "Error": error })
        })
        .collect();
    let answer = json!({
        "ClientVersion": CLIENT_VERSION,
        "ProcessedClientActions": processed,
        "Errors": errors,
    });
    let is_encrypted = actions.iter().any(|action| action.action_type == "KMSEncryption");
    Answer { payload: answer.to_string().into_bytes(), is_encrypted }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(request: &str) -> (Value, bool) {
        let answer = answer(request.as_bytes());
        (serde_json::from_slice(&answer.payload).unwrap(), answer.is_encrypted)
    }

    #[test]
    fn a_terminal_is_agreed_to_and_encryption_is_refused() {
        let (plain, encrypted) = answered(
            r#"{"AgentVersion":"3.3","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"InteractiveCommands"}}]}"#,
        );
        assert_eq!(plain["ProcessedClientActions"][0]["ActionStatus"], 1);
        assert_eq!((&plain["Errors"], encrypted), (&json!([]), false));
        let (kms, encrypted) = answered(
            r#"{"RequestedClientActions":[{"ActionType":"KMSEncryption","ActionParameters":{"KMSKeyID":"k"}},{"ActionType":"SessionType"}]}"#,
        );
        assert_eq!(kms["ProcessedClientActions"][0]["ActionStatus"], 3);
        assert_eq!(kms["ProcessedClientActions"][1]["ActionStatus"], 1);
        assert_eq!((kms["Errors"][0].as_str(), encrypted), (Some("Unsupported action KMSEncryption"), true));
        assert_eq!(answered("?").0["ProcessedClientActions"], json!([]));
    }
}
