//! What runs in a sidecar: every port for which there is a socket leads to that socket. The same program ends what sessions
//! left behind in a container.

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::time::sleep;

use crate::workload::machine::marked;

/// The socket on which a sidecar says that it listens.
pub(super) const READY: &str = "ready";

/// Before the id of a session.
pub(super) const ENDS: &str = "session=";

/// Is the sidecar: listens at every port for which there is a socket in the folder `what`, and forwards to it. Or kills the
/// processes of the session that `what` names.
///
/// # Errors
/// The folder cannot be read, or a port cannot be listened at.
pub async fn sidecar(what: &Path) -> Result<()> {
    match what.to_str().and_then(|what| what.strip_prefix(ENDS)) {
        Some(session) => {
            marked::kill(session.to_owned()).await;
            Ok(())
        }
        None => forward(what).await,
    }
}

pub(super) async fn forward(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let port = entry.file_name().to_str().and_then(|name| name.parse::<u16>().ok());
        if let Some(port) = port {
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
            tokio::spawn(pass_on(listener, entry.path()));
        }
    }
    let _ready = UnixStream::connect(folder.join(READY)).await?;
    std::future::pending().await
}

async fn pass_on(listener: TcpListener, socket: PathBuf) {
    loop {
        let Ok((mut client, _)) = listener.accept().await else {
            // Out of file descriptors, or a connection that was gone before it was accepted.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let socket = socket.clone();
        tokio::spawn(async move {
            match UnixStream::connect(socket).await {
                Ok(mut cloud) => copy_bidirectional(&mut client, &mut cloud).await.map(drop),
                Err(error) => Err(Error::new(ErrorKind::ConnectionRefused, error)),
            }
        });
    }
}
