//! Real processes out of real images.
