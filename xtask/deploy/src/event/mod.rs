//! Everything that happens, as data. Whoever acts emits events and prints nothing; views turn the record
//! into a terminal, lines or NDJSON.

mod availability;
mod blame;
mod forecast;
mod outcome;
mod record;

pub use availability::{Availability, Miss};
pub use blame::{Blame, blamed};
pub use forecast::{Forecast, Part, Share, shares};
pub use outcome::ExitCode;
pub use record::{Call, Event, Kind, Phase, ProbeAnswer, ServiceRow, UndoneService};
