//! Configurations of ssh.
#![no_main]

use std::io;

use evenkeel_ssh::config::{Config, Files, Given, Machine, Sources};
use libfuzzer_sys::fuzz_target;

/// One file, that may include itself.
struct One<'a>(&'a str);

impl Files for One<'_> {
    fn read(&self, _: &str) -> io::Result<Option<String>> {
        Ok(Some(self.0.to_owned()))
    }

    fn glob(&self, pattern: &str) -> io::Result<Vec<String>> {
        Ok(vec![pattern.to_owned()])
    }
}

fuzz_target!(|input: (&str, &str)| {
    let (text, host) = input;
    let machine = Machine {
        user: "ada".to_owned(),
        uid: 1000,
        home: "/home/ada".to_owned(),
        host: "desk".to_owned(),
        full_host: "desk.example.org".to_owned(),
        env: [("SET".to_owned(), "value".to_owned())].into(),
    };
    // Either is fine; what counts is that it ends.
    if let Ok(config) = Config::read(&Sources::Only("config".to_owned()), &One(text), &machine) {
        if let Ok(found) = config.resolve(host, &Given::default(), &machine) {
            assert!(found.port != 0);
        }
    }
});
