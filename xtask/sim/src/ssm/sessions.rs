//! ResumeSession and TerminateSession, by which a client's plugin comes back after its connection broke, and ends a session.

use serde_json::json;

use crate::account::{Account, Millis};
use crate::ecs;
use crate::wire::{ApiRequest, Outcome, text};

/// Without a token the plugin says that the session has timed out, and ends (session-manager-plugin, `sessionhandler.go`).
pub(super) fn resume(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let session = text(request, "SessionId")?;
    let token = ecs::resume_session(account, now, &session);
    Ok(json!({
        "SessionId": session,
        "StreamUrl": token.as_ref().map(|_| ecs::stream_url(account, &session)),
        "TokenValue": token,
    }))
}

/// A session that has ended is no error.
pub(super) fn terminate(account: &mut Account, request: &ApiRequest) -> Outcome {
    let session = text(request, "SessionId")?;
    ecs::close_session(account, &session);
    Ok(json!({ "SessionId": session }))
}
