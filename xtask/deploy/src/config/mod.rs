//! `deploy.toml` → [`Environment`](crate::model::Environment): checked, complete, every default filled in.
//!
//! ```text
//! text ─ toml → tree with places ─ shape (by the schema) → readable tree
//!      ─ overlay (environment, every-service) ─ serde → raw::Settings ─ rules → diagnostics
//!                                                                     └ resolve → Environment
//! ```
//!
//! All mistakes of all stages come back in one [`Report`]; only a file that is no TOML at all stops earlier.
//! Nothing here reads files, the environment or the clock, and nothing that a report prints holds a secret.

mod connect;
mod diagnostic;
mod load;
mod order;
mod overlay;
mod percent;
mod raw;
mod redact;
mod report;
mod resolve;
pub(crate) mod routing;
mod rules;
mod schema;
mod setting;
mod shape;
mod suggest;

pub use diagnostic::{Diagnostic, Severity};
pub use load::{Loaded, environments, load};
pub use report::{Finding, Report};
pub use rules::rules;
pub use schema::schema;
