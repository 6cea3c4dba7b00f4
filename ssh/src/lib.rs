//! Hosts over SSH for `evenkeel-engine`.
