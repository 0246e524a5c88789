//! Events and plans as text: pure functions, so that what a person sees can be tested.

mod bar;
mod clock;
mod commands;
mod doctor;
mod duration;
mod failure;
mod fit;
pub mod github;
mod history;
mod line;
mod log;
mod moment;
mod plan_text;
mod rolling;
mod secrets;
mod status;
mod table;
mod words;

pub use bar::{bar, share};
pub use clock::{clock, date};
pub use commands::with_options;
pub use doctor::doctor;
pub use duration::{age, duration};
pub use failure::failure;
pub use fit::{ascii, fitted, widest, wrapped};
pub use history::history;
pub use line::{Detail, forecast, line};
pub use log::{LogText, log_entry};
pub use moment::place;
pub use plan_text::{orphans, plan_text};
pub use rolling::rolling;
pub use secrets::secrets;
pub use status::status;
pub use table::{address, list, table};
