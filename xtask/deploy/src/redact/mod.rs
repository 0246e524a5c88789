//! Keeps secrets out of what is shown and kept: what tasks printed, what was answered, what is written down as evidence.
//!
//! By the secret's form (access keys, tokens, private keys, passwords in URLs) and by the name before it (`password=…`):
//! rather too much than too little. A secret that neither names itself nor has a known form is not found.

mod address;
mod json;
mod names;
mod spans;
mod text;
mod values;

pub use json::json;
pub(crate) use names::{doubtful_name, masked_argument, secret_argument, secret_name};
pub(crate) use spans::all as spans;
pub use text::{each, lines, text};
pub(crate) use values::{certain_secret, secret_reference, secret_value};

pub(crate) const MASK: &str = "***";
