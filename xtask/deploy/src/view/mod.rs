//! Events and plans as text: pure functions, so that what a person sees can be tested.

mod duration;
mod failure;
pub mod github;
mod history;
mod line;
mod moment;
mod plan_text;
mod rolling;
mod table;
mod words;

pub use duration::{age, duration};
pub use history::history;
pub use line::{Detail, forecast, line};
pub use moment::place;
pub use plan_text::{orphans, plan_text};
pub use rolling::rolling;
pub use table::{address, table};
