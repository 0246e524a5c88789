//! Where events become output: the record, and the one place that prints.
//!
//! Whoever acts holds a [`Recorder`] and emits; what is seen is decided here, once, by `--output`,
//! `--verbose` and whether a terminal is there.

mod area;
mod chain;
mod github;
mod live;
mod log;
mod paint;
mod record;
mod screen;

pub use chain::chain;
pub(crate) use github::{annotate, annotate_failure, conclude, mask};
pub use log::LogScreen;
pub(crate) use paint::paint_state;
pub use record::Recorder;
pub use screen::{Color, Format, Screen};
pub(crate) use screen::{
    colors_errors, limit, pass_on, print_again, print_error, print_lines, print_result, print_text,
};
