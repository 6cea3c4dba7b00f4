use crate::support::Expect;

pub(crate) fn cases() -> Vec<Expect> {
    Vec::new()
}
