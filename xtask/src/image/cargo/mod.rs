//! Compiles the executables that go into images, with cargo.

mod compile;
mod invocation;
mod messages;
mod toolchain;

pub use compile::Failure;
pub(super) use compile::compile;
pub(super) use messages::Executable;
pub use messages::Unclear;
