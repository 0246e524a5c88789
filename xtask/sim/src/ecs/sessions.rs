//! Sessions of ExecuteCommand as clients have them: opened, resumed by Session Manager's ResumeSession after a connection broke,
//! and ended.

use serde_json::json;

use super::region::{Operation, Region};
use super::state::State;
use super::task::session::UNOPENED;
use crate::base::{Base, Millis};
use crate::wire::{ApiRequest, Operations, Outcome, text};
use crate::workload::{Exec, TaskId};

/// Systems Manager's, beside those of its parameters.
pub(crate) const SESSIONS: Operations<Operation> =
    &[("ResumeSession", resume), ("TerminateSession", |region, _, request| terminate(region, request))];

/// Without a token the plugin says that the session has timed out, and ends (session-manager-plugin, `sessionhandler.go`).
fn resume(region: &mut Region<'_>, now: Millis, request: &ApiRequest) -> Outcome {
    let session = text(request, "SessionId")?;
    let token = resume_session(region, now, &session);
    Ok(json!({
        "SessionId": session,
        "StreamUrl": token.as_ref().map(|_| stream_url(region.base, &session)),
        "TokenValue": token,
    }))
}

/// A session that has ended is no error.
fn terminate(region: &mut Region<'_>, request: &ApiRequest) -> Outcome {
    let session = text(request, "SessionId")?;
    close_session(region.ecs, &session);
    Ok(json!({ "SessionId": session }))
}

/// Where a session's data channel is.
pub(super) fn stream_url(base: &Base, session: &str) -> String {
    format!("{}/v1/data-channel/{session}?role=publish_subscribe", base.settings.messages())
}

/// A client opens a session: what it runs, and its command as it was given. A token opens one once, and soon.
pub(crate) fn open_session(
    ecs: &mut State,
    now: Millis,
    session: &str,
    token: &str,
) -> Option<(Exec, String)> {
    let session = ecs.sessions.get_mut(session)?;
    session.token.take_if(|known| known == token && now.since(session.made_at) < UNOPENED * 1000)?;
    session.opened = true;
    Some((session.exec.clone(), session.command.clone()))
}

/// A new token for a session that a client has: its connection broke. None where there is no such session any more.
fn resume_session(region: &mut Region<'_>, now: Millis, session: &str) -> Option<String> {
    let session = region.ecs.sessions.get_mut(session).filter(|session| session.opened)?;
    let token = region.base.ids.hex(64);
    (session.token, session.made_at) = (Some(token.clone()), now);
    Some(token)
}

/// Whether a session is still one: it ends with its container.
pub(crate) fn has_session(ecs: &State, session: &str) -> bool {
    ecs.sessions.contains_key(session)
}

/// A container has ended, and its sessions with it.
pub(super) fn close_sessions(ecs: &mut State, id: &TaskId, container: &str) {
    ecs.sessions.retain(|_, it| it.exec.task != *id || it.exec.container != container);
}

pub(crate) fn close_session(ecs: &mut State, session: &str) {
    ecs.sessions.remove(session);
}
