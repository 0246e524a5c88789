//! The account as it is: one read of everything that a plan needs.
