//! ECS Exec.

use aws_sdk_ecs::operation::execute_command::ExecuteCommandOutput;

use crate::aws::call::Op;
use crate::aws::{Aws, Error};
use crate::host::Secret;

// Not a write: it changes nothing of the account, and a session whose reply is lost ends by itself after 20 idle minutes.
const EXECUTE: Op = Op::read("ecs", "ExecuteCommand");

/// Where a session with the agent of a task is.
#[derive(Debug)]
pub struct ExecSession {
    /// The URL of a WebSocket.
    pub url: String,
    pub token: Secret,
}

impl Aws {
    /// Starts a command in a container; it begins once somebody opens the session.
    ///
    /// # Errors
    /// When AWS refuses, or the agent in the task does not run.
    pub async fn execute_command(
        &self,
        cluster: &str,
        task: &str,
        container: &str,
        command: &str,
    ) -> Result<ExecSession, Error> {
        let call = || {
            self.ecs
                .execute_command()
                .cluster(cluster)
                .task(task)
                .container(container)
                .command(command)
                // ECS takes no other.
                .interactive(true)
                .send()
        };
        let session = |reply: ExecuteCommandOutput| {
            let session = reply.session.ok_or("session")?;
            let url = session.stream_url.ok_or("session.streamUrl")?;
            let token = Secret::new(session.token_value.ok_or("session.tokenValue")?);
            Ok(ExecSession { url, token })
        };
        self.call_for(EXECUTE, call, session).await
    }
}
