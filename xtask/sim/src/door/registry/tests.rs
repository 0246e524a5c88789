//! Pushing and pulling through the data plane.
