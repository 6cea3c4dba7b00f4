//! Tests of addresses and networks.

use minijinja::{Environment, Error, value::Value as Jinja};

use super::{super::data::items, Address};

pub(in crate::template) const NAMES: [&str; 13] = [
    "in_any_network",
    "in_network",
    "in_one_network",
    "ip",
    "ip_address",
    "ipv4",
    "ipv4_address",
    "ipv6",
    "ipv6_address",
    "loopback",
    "mac",
    "subnet_of",
    "supernet_of",
];

pub(super) fn add(env: &mut Environment<'static>) {
    env.add_test("ip", |value: &Jinja| text(value).is_some());
    env.add_test("ip_address", |value: &Jinja| {
        text(value).is_some_and(|address| address.bare)
    });
    for (name, v6) in [("ipv4", false), ("ipv6", true)] {
        env.add_test(name, move |value: &Jinja| {
            text(value).is_some_and(|address| address.v6 == v6)
        });
        env.add_test(format!("{name}_address"), move |value: &Jinja| {
            text(value).is_some_and(|address| address.bare && address.v6 == v6)
        });
    }
    env.add_test("loopback", |value: &Jinja| {
        text(value).is_some_and(|address| address.bare && address.address().is_loopback())
    });
    env.add_test("mac", |value: &Jinja| value.as_str().is_some_and(mac));
    for name in ["in_network", "subnet_of"] {
        env.add_test(name, |a: &Jinja, b: &Jinja| inside(a, b));
    }
    env.add_test("supernet_of", |a: &Jinja, b: &Jinja| inside(b, a));
    env.add_test("in_any_network", |value: &Jinja, networks: &Jinja| {
        let networks = items("in_any_network", networks)?;
        Ok::<_, Error>(networks.iter().any(|network| inside(value, network)))
    });
    env.add_test("in_one_network", |value: &Jinja, networks: &Jinja| {
        let networks = items("in_one_network", networks)?;
        let count = networks
            .iter()
            .filter(|network| inside(value, network))
            .count();
        Ok::<_, Error>(count == 1)
    });
}

fn text(value: &Jinja) -> Option<Address> {
    value.as_str()?;
    Address::of(value)
}

/// Whether a network holds an address, or another network.
fn inside(value: &Jinja, network: &Jinja) -> bool {
    match (text(value), text(network)) {
        (Some(address), Some(network)) => network.contains(&address),
        _ => false,
    }
}

/// Six pairs of digits with `:` or `-` between them, or three fours with `.`.
fn mac(text: &str) -> bool {
    let parts = |mark: char, count: usize, length: usize| {
        let parts: Vec<&str> = text.split(mark).collect();
        let digits =
            |part: &&str| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        parts.len() == count && parts.iter().all(digits)
    };
    parts(':', 6, 2) || parts('-', 6, 2) || parts('.', 3, 4)
}
