//! Round trips, and what is noticed as foreign.
