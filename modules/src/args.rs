//! What the arguments of many modules have in common.

/// For `skip_serializing_if`: a fingerprint does not change when an optional argument is added.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
