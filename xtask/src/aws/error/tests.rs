//! The classification, code by code.
