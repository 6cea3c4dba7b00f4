//! evenkeel.

pub mod exit;
pub mod printable;
pub mod prose;
pub mod report;
