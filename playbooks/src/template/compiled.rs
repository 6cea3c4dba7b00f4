//! Expressions that were compiled, since lists of tasks say the same again and again, and each takes 13 KB.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use minijinja::{Error, Expression};

use super::environment::JINJA;

/// So many are kept: then it is begun anew.
const KEPT: usize = 1000;

type Compiled = Arc<Expression<'static, 'static>>;

thread_local! {
    static COMPILED: RefCell<BTreeMap<String, Compiled>> = const { RefCell::new(BTreeMap::new()) };
}

/// The expression that a text is; its mistake of syntax.
pub(super) fn expression(text: &str) -> Result<Compiled, Error> {
    if let Some(known) = COMPILED.with_borrow(|all| all.get(text).cloned()) {
        return Ok(known);
    }
    let compiled = Arc::new(JINJA.compile_expression_owned(text.to_owned())?);
    COMPILED.with_borrow_mut(|all| {
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(text.to_owned(), Arc::clone(&compiled));
    });
    Ok(compiled)
}
