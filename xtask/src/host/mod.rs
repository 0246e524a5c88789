//! The one door to the machine: clock, randomness, environment variables, processes, signals, sockets.
//!
//! Everything that could make two runs of the same deployment differ enters here and nowhere else, so that a
//! test can hand in virtual time, a seed, a fixed environment and an in-process cloud. It knows nothing of AWS,
//! of images or of what is deployed.

mod actor;
mod clock;
mod daemon;
mod env;
mod folder;
mod git;
mod halt;
mod http;
mod process;
mod rng;
mod secret;
mod signals;
mod terminal;
mod usage;
mod workspace;

pub use actor::Actor;
pub use clock::{Clock, Mark};
pub use daemon::{Daemon, DaemonError};
pub use env::Env;
pub use folder::Folder;
pub use git::Git;
pub use halt::{Halt, Switch};
pub use http::{ByteStream, ConnectTo, Http, HttpError, Socket, Unreached};
pub use process::{Exit, Output, ProcessError, Program, Shell, Stream};
pub use rng::Rng;
pub use secret::Secret;
pub use signals::{Resizes, Signal, Signals};
pub use terminal::{Input, RawMode, Terminal};
pub use usage::Usage;
pub use workspace::{Package, Workspace, WorkspaceError};

/// The operating system that this program was compiled for, such as `linux` or `macos`.
pub const SYSTEM: &str = std::env::consts::OS;
/// The processor that this program was compiled for, such as `x86_64` or `aarch64`.
pub const PROCESSOR: &str = std::env::consts::ARCH;

/// What the tool takes from the machine it runs on.
#[derive(Clone, Debug)]
pub struct Host {
    /// Wall-clock and monotonic time, and sleeping.
    pub clock: Clock,
    /// The root of all randomness; subsystems take [`Rng::stream`]s of it.
    pub rng: Rng,
    /// The environment variables at start.
    pub env: Env,
    pub http: Http,
    pub shell: Shell,
    /// What the tool talks to.
    pub terminal: Terminal,
}

impl Host {
    /// # Errors
    /// [`HttpError`] when no certificate authorities can be loaded.
    pub fn system() -> Result<Self, HttpError> {
        let env = Env::system();
        Ok(Self {
            clock: Clock::system(),
            rng: Rng::from_entropy(),
            http: Http::system()?,
            shell: Shell::system(&env),
            terminal: Terminal::system(&env),
            env,
        })
    }

    /// A machine for tests: virtual time under a paused runtime, a seed, the given variables,
    /// and `http` for every socket.
    pub fn rehearsal(seed: u64, epoch_ms: u64, env: Env, http: Http) -> Self {
        Self {
            clock: Clock::virtual_from(epoch_ms),
            rng: Rng::from_seed(seed),
            http,
            shell: Shell::system(&env),
            terminal: Terminal::none(),
            env,
        }
    }
}
