//! Proof after a roll: what runs is what was pushed, the load balancer finds it healthy, and the right
//! service answers at the public paths.

mod availability;
mod detail;
mod foreign;
mod front;
mod inside;
mod probe;
mod reading;
mod rows;
mod running;

pub use availability::{Watched, while_asking};
pub use detail::detail;
pub use front::Front;
pub use inside::inside;
pub use probe::{ask, smoke};
pub use reading::{readings, readings_of};
pub use rows::{Door, public_path, rows, rows_of};
pub use running::{Running, Wanted, running};
