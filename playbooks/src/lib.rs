//! evenkeel.
