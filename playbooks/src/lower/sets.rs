//! Which variables a task sets: those of the files that an `include_vars` reads, and those of a `set_fact`.

use std::collections::BTreeSet;

use super::{Lowering, Nothing, body::Body, include, mentions, named};

impl Lowering<'_> {
    /// The files that an `include_vars` reads may be made by the run: then it may set any variable, and reads any.
    pub(super) fn may_be_made(
        &self,
        (included, is_made): (&mut include::Candidates, bool),
        body: &mut Body,
        host: &str,
    ) {
        if !self.includes(body) || !(included.may_be_any() || is_made) {
            return;
        }
        if body.awaits.is_empty() {
            let wanted = (!included.open).then_some(included.wanted.as_slice());
            body.awaits = self.makers.all(wanted, host, self.copies).into();
        }
        if body.awaits.is_empty() && !included.open {
            return;
        }
        included.may_be_made(&body.program);
        self.store.foresee_any(body.program.module.span);
        let none = (BTreeSet::new(), mentions::Wanted::default());
        let mut needed = std::mem::take(&mut body.written);
        needed.extend(self.left_by(host, &none.0, true, &none.1));
        needed.sort_by(|a, b| (a.task, &a.name).cmp(&(b.task, &b.name)));
        needed.dedup();
        body.written = needed;
    }

    /// Whether a task is an `include_vars`.
    pub(super) fn includes(&self, body: &Body) -> bool {
        let module = self.registry.get(&body.program.module.value);
        module.is_some_and(|module| module.name() == include::MODULE)
    }

    /// What an `include_vars` may read.
    pub(super) fn included(&self, body: &Body) -> include::Candidates {
        if !self.includes(body) {
            return include::Candidates::default();
        }
        let scope = body.current(&Nothing(&self.list));
        include::candidates(&body.program, &scope, &self.store)
    }

    /// What an `include_vars` may read, and what a `set_fact` sets.
    pub(super) fn variables_of(&self, body: &Body) -> (include::Candidates, BTreeSet<String>) {
        (self.included(body), self.set(body))
    }

    /// What a `set_fact` sets.
    pub(super) fn set(&self, body: &Body) -> BTreeSet<String> {
        let module = self.registry.get(&body.program.module.value);
        if module.is_none_or(|module| module.name() != named::MODULE) {
            return BTreeSet::new();
        }
        let scope = body.current(&Nothing(&self.list));
        named::names(body, &scope)
    }
}
