//! Ledgers as earlier versions wrote them are kept here and must load.

use evenkeel_engine::{
    host::LedgerText,
    ledger::{Ended, Ledger, LedgerError, Scope},
};

fn text(boot: &str) -> LedgerText {
    LedgerText {
        machine: "m1".to_owned(),
        boot: boot.to_owned(),
        serial: 3,
        journal: include_str!("ledgers/v1.txt").to_owned(),
        ..LedgerText::default()
    }
}

fn task(name: &str) -> Scope {
    ("p".to_owned(), "h".to_owned(), name.to_owned()).into()
}

#[test]
fn format_1_loads_with_a_torn_last_line() {
    let ledger = Ledger::read(&text("b1")).unwrap();
    let a = &ledger.records[&task("file /a")];
    assert_eq!(a.ended, Some(Ended::Changed));
    assert_eq!(a.print.as_ref().unwrap().total, "t1");
    assert!(
        ledger.owing(&task("")).is_empty(),
        "its one listener has served it"
    );
    assert!(
        !ledger.records[&task("file /b")].owes(),
        "it never had to do anything"
    );
    assert!(ledger.records[&task("setup")].interrupted());
    assert!(
        !ledger.records.contains_key(&task("later")),
        "it was only meant"
    );
    assert_eq!(ledger.key, b"00ff");
}

#[test]
fn what_was_only_meant_counts_when_the_machine_went_down_with_it() {
    let ledger = Ledger::read(&text("b2")).unwrap();
    assert!(ledger.records[&task("later")].interrupted());
}

#[test]
fn a_snapshot_says_the_same_as_the_journal() {
    let ledger = Ledger::read(&text("b1")).unwrap();
    let lines: Vec<String> = ledger
        .lines()
        .iter()
        .map(evenkeel_engine::ledger::Line::text)
        .collect();
    let folded = LedgerText {
        snapshot: lines.join("\n"),
        journal: String::new(),
        ..text("b1")
    };
    let again = Ledger::read(&folded).unwrap();
    assert_eq!(again.records, ledger.records);
    assert_eq!(again.served, ledger.served);
    assert_eq!(again.key, ledger.key);
}

#[test]
fn a_newer_format_is_refused() {
    let newer = LedgerText {
        snapshot: r#"{"k":"ledger","v":2,"machine":"m1"}"#.to_owned(),
        ..LedgerText::default()
    };
    assert_eq!(Ledger::read(&newer).unwrap_err(), LedgerError::Newer(2));
}

#[test]
fn a_ledger_of_another_machine_is_none() {
    let copied = LedgerText {
        machine: "m2".to_owned(),
        ..text("b1")
    };
    let ledger = Ledger::read(&copied).unwrap();
    assert!(ledger.records.is_empty());
    assert_ne!(
        ledger.key, b"00ff",
        "its digests of secrets are worth nothing here"
    );
}
