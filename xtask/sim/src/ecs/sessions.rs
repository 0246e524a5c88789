//! Session Manager's ResumeSession and TerminateSession for the sessions of ExecuteCommand, by which a client's plugin comes back after its connection broke, and ends a session.

use serde_json::json;

use super::task::{close_session, resume_session, stream_url};
use crate::account::Account;
use crate::clock::Millis;
use crate::wire::{ApiRequest, Operations, Outcome, text};

/// Systems Manager's, beside those of its parameters.
pub(crate) const SESSIONS: Operations<crate::account::Operation> =
    &[("ResumeSession", resume), ("TerminateSession", |account, _, request| terminate(account, request))];

/// Without a token the plugin says that the session has timed out, and ends (session-manager-plugin, `sessionhandler.go`).
fn resume(account: &mut Account, now: Millis, request: &ApiRequest) -> Outcome {
    let session = text(request, "SessionId")?;
    let token = resume_session(account, now, &session);
    Ok(json!({
        "SessionId": session,
        "StreamUrl": token.as_ref().map(|_| stream_url(account, &session)),
        "TokenValue": token,
    }))
}

/// A session that has ended is no error.
fn terminate(account: &mut Account, request: &ApiRequest) -> Outcome {
    let session = text(request, "SessionId")?;
    close_session(account, &session);
    Ok(json!({ "SessionId": session }))
}
