//! One JSON object a line: the events as they are, with the time.

use evenkeel_engine::event::Event;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Report, Said};
use crate::printable;

/// One JSON object a line.
#[derive(Debug, Default)]
pub struct Json;

impl Report for Json {
    fn fold(&mut self, event: &Event, at: Timestamp) -> Said {
        Said {
            report: line(event, at),
            talk: String::new(),
        }
    }
}

/// An event as a line: `event`, then `time`, then the rest.
fn line(event: &Event, at: Timestamp) -> String {
    let Ok(Value::Object(fields)) = serde_json::to_value(event) else {
        panic!("BUG: an event is not a JSON object: {event:?}");
    };
    let mut object = Map::new();
    for (name, value) in fields {
        let first = object.is_empty();
        object.insert(name, value);
        if first {
            object.insert("time".to_owned(), time(at).into());
        }
    }
    let text = Value::Object(object).to_string();
    format!("{}\n", printable::json(&text))
}

/// RFC 3339, to the millisecond.
pub fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}
