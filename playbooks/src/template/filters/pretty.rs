//! The filter `pprint`: a value as Python would write it; of what Ansible hands it, all on one line.

use minijinja::{Environment, Error, ErrorKind, value::Value as Jinja};

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_filter("pprint", |value: &Jinja| {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        // Within a list texts have their quotes.
        let list = Jinja::from(vec![value.clone()]).to_string();
        Ok(list[1..list.len() - 1].to_owned())
    });
}
