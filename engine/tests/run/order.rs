//! In-order meaning, out-of-order running.
