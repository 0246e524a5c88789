//! `deploy.toml` → [`Environment`](crate::model::Environment): checked, complete, every default filled in.
//!
//! ```text
//! text ─ toml → tree with places ─ shape (by the schema) → readable tree
//!      ─ overlay (environment, every-service) ┬ places
//!                                             └ serde ─ complete → Environment ─ rules, missing → diagnostics
//! ```
//!
//! All mistakes of all stages come back in one [`Report`]; only a file that is no TOML at all stops earlier.
//! Nothing here reads files, the environment or the clock, and nothing that a report prints holds a secret.

mod aws;
mod complete;
mod diagnostic;
mod endpoint;
mod load;
mod missing;
mod order;
mod overlay;
mod patience;
mod percent;
mod place;
mod redact;
mod report;
pub(crate) mod routing;
mod rules;
mod schema;
mod shape;
mod suggest;
mod syntax;
mod workspace;

#[cfg(test)]
mod tests;

pub use diagnostic::{Diagnostic, Severity};
pub(crate) use load::judged;
pub use load::{Loaded, environments, load, load_in};
pub use report::{Finding, Report};
pub use rules::{attribute_names, rules};
pub use schema::schema;
pub use suggest::closest;
pub use workspace::Workspace;
