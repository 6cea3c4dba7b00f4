//! `evenkeel schema`: JSON Schema of playbooks.

use crate::{cli::Schema, exit::Exit, report::out, schema};

/// Prints the schema.
pub(super) fn schema(args: &Schema) -> Exit {
    let Schema {} = args;
    let schema = schema::schema(&evenkeel_modules::standard());
    let text = serde_json::to_string_pretty(&schema).expect("a value is JSON");
    out::report(&format!("{text}\n"));
    Exit::Good
}
