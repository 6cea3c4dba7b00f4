//! No secret leaves a run but into the steps that need it; fingerprints see every field.

use std::sync::Arc;

use evenkeel_engine::{
    Secret, Source, Task, Text, Value, fingerprint::Fingerprint, run::Options, testing::mutations,
};

use crate::kit::{go_with, host, put, sum};

#[test]
fn a_secret_is_in_no_event_and_in_no_line_of_the_ledger() {
    let host = Arc::new(host().program("env", |_, call| {
        let text =
            |(_, value): &(String, Text)| String::from_utf8_lossy(value.bytes()).into_owned();
        let said: String = call.env.iter().map(text).collect();
        evenkeel_engine::fake::failed(1, format!("it said {said}\n"))
    }));
    let args = crate::kit::SumArgs {
        label: "hunter2x".into(),
        out: "o".into(),
        ..Default::default()
    };
    let with = |mut task: Task| {
        task.environment = vec![("PASSWORD".into(), Text::Secret(Secret::new("hunter2x")))];
        task
    };
    let named = with(Task::new::<crate::kit::Sum>("named hunter2x", args).once());
    host.change(|world| world.write("/broken/bad", ""));
    let tasks = vec![
        with(put("good", "a", "has hunter2x")),
        named,
        with(sum("bad", "x", &[])),
    ];
    let options = Options {
        results: true,
        diff: true,
        ..Options::new()
    };
    let ran = go_with(&host, tasks, options);
    assert_eq!(ran.finished().count(), 3);
    for text in ran.lines().iter().chain([&format!("{:?}", ran.events)]) {
        assert!(!text.contains("hunter2x"), "{text}");
    }
    for line in host.log().iter().filter(|line| line.starts_with("journal")) {
        assert!(!line.contains("hunter2x"), "{line}");
    }
}

#[test]
fn every_field_is_in_the_fingerprint() {
    let args: Value = [
        ("null".to_owned(), Value::Null),
        ("bool".to_owned(), true.into()),
        ("int".to_owned(), 3_i64.into()),
        ("float".to_owned(), Value::Float(1.5)),
        ("text".to_owned(), "x".into()),
        ("secret".to_owned(), Value::Secret(Secret::new("s3cret"))),
        (
            "source".to_owned(),
            Value::Source(Source::inline("f", b"bytes".to_vec())),
        ),
        (
            "list".to_owned(),
            Value::Seq(vec![1_i64.into(), "a".into()]),
        ),
        ("empty".to_owned(), Value::Seq(Vec::new())),
        (
            "map".to_owned(),
            serde_json::json!({"a": {"b": [null, {}]}}).into(),
        ),
    ]
    .into_iter()
    .collect::<evenkeel_engine::Map>()
    .into();
    let of = |args: &Value| Fingerprint::of("m", args, &[], b"key").unwrap();
    let whole = of(&args);
    let all = mutations(&args);
    assert!(all.len() > 12);
    for (path, changed) in all {
        assert_ne!(of(&changed), whole, "{path}");
        assert_ne!(of(&changed).total, whole.total, "{path}");
        assert!(of(&changed).changed_since(&whole).is_some(), "{path}");
    }
}
