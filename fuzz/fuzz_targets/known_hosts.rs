//! Files of known hosts.
#![no_main]

use evenkeel_ssh::known_hosts::{KnownHosts, Lookup};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, u16)| {
    let (text, host, port) = input;
    let known = KnownHosts::parse([("file", text)]);
    for host in [Lookup::new(host, port), Lookup::alias(host)] {
        assert!(!known.algorithms_for(&host).keys.is_empty());
    }
    assert!(known.damaged().len() <= text.split('\n').count());
});
