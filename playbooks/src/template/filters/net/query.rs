//! What `ipaddr` can be asked.

use std::net::IpAddr;

use minijinja::{Error, value::Value as Jinja};

use super::{super::refuse, address::Address, number};
use crate::words::{did_you_mean, list};

const QUERIES: [&str; 43] = [
    "address",
    "address/prefix",
    "bool",
    "broadcast",
    "cidr",
    "first_usable",
    "gateway",
    "gw",
    "host",
    "host/prefix",
    "hostmask",
    "hostnet",
    "int",
    "ip",
    "ip/prefix",
    "ip_netmask",
    "ipv4",
    "ipv6",
    "last_usable",
    "link-local",
    "lo",
    "loopback",
    "multicast",
    "net",
    "netmask",
    "network",
    "network/prefix",
    "network_id",
    "network_netmask",
    "network_wildcard",
    "next_usable",
    "peer",
    "prefix",
    "previous_usable",
    "private",
    "public",
    "range_usable",
    "revdns",
    "router",
    "size",
    "size_usable",
    "subnet",
    "type",
];

const MORE: [&str; 4] = ["unicast", "version", "wildcard", "wrap"];

/// The answer; `none` or `false` where there is none.
pub(super) fn answer(filter: &str, at: &Address, query: &str) -> Result<Jinja, Error> {
    let text = |text: String| Ok(Jinja::from(text));
    let none = || Ok(Jinja::from(()));
    let either = |yes: bool, text: String| Ok(if yes { text.into() } else { Jinja::from(()) });
    // A point of its own: not the name of its network, unless that has no broadcast.
    let host = at.bits != at.first() || at.hosts() <= 1;
    let ip = |bits: u128| at.moved(bits).ip();
    let mask = || ip(at.all() & !at.hosts());
    match query {
        "" => text(if at.bare { at.ip() } else { at.with_len() }),
        "address" | "ip" => either(host || at.v6, at.ip()),
        "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "router" => Ok(if host {
            at.with_len().into()
        } else {
            Jinja::from(false)
        }),
        "bool" => Ok(Jinja::from(true)),
        "broadcast" => either(at.hosts() > 1, ip(at.last())),
        "cidr" => text(at.with_len()),
        "host" => either(host, at.with_len()),
        "hostmask" | "wildcard" => text(ip(at.hosts())),
        "int" if at.bare => Ok(number(at.bits)),
        "int" => text(format!("{}/{}", at.bits, at.len)),
        "ip/prefix" => either(host && at.hosts() > 0, at.with_len()),
        "ip_netmask" => either(host && at.hosts() > 0, format!("{} {}", at.ip(), mask())),
        "ipv4" => Ok(mapped_to_4(at)),
        "ipv6" => text(mapped_to_6(at)),
        "net" => either(at.bits == at.first() && at.hosts() > 0, at.with_len()),
        "netmask" => text(mask()),
        "network" | "network_id" => text(ip(at.first())),
        "network/prefix" | "subnet" => text(at.network().with_len()),
        "network_netmask" => text(format!("{} {}", ip(at.first()), mask())),
        "network_wildcard" => text(format!("{} {}", ip(at.first()), ip(at.hosts()))),
        "prefix" => Ok(Jinja::from(at.len)),
        "size" => Ok(at
            .hosts()
            .checked_add(1)
            .map_or_else(|| Jinja::from(f64::MAX), number)),
        "size_usable" => Ok(number(match at.hosts() {
            0 => 0,
            1 => 2,
            hosts => hosts - 1,
        })),
        "type" => {
            let network = at.bits == at.first() && at.hosts() > 0;
            Ok(Jinja::from(if network { "network" } else { "address" }))
        }
        "version" => Ok(Jinja::from(if at.v6 { 6 } else { 4 })),
        "revdns" => text(reverse(at)),
        "wrap" => text(match (at.v6, at.bare) {
            (false, _) => at.text.clone(),
            (true, true) => format!("[{}]", at.ip()),
            (true, false) => format!("[{}]/{}", at.ip(), at.len),
        }),
        "private" => either(!global(at.address()), at.text.clone()),
        "public" => either(
            global(at.address()) && !at.address().is_multicast(),
            at.text.clone(),
        ),
        "unicast" => either(!at.address().is_multicast(), at.text.clone()),
        "multicast" => either(at.address().is_multicast(), at.text.clone()),
        "loopback" | "lo" => either(at.address().is_loopback(), at.text.clone()),
        "link-local" => either(link_local(at.address()), at.text.clone()),
        "first_usable" | "last_usable" | "next_usable" | "previous_usable" | "peer"
        | "range_usable" => {
            if at.bare {
                return Err(refuse(format!(
                    "`{filter}('{query}')`: `{}` is an address without a network: give it a prefix, as in `{}/24`",
                    at.text,
                    at.ip()
                )));
            }
            if query == "peer" {
                return peer(filter, at);
            }
            if at.hosts() == 0 {
                return none();
            }
            usable(at, query).map_or_else(none, text)
        }
        other => asked(filter, at, other),
    }
}

/// A number asks for an address of the network, a network whether the address is within.
fn asked(filter: &str, at: &Address, query: &str) -> Result<Jinja, Error> {
    if let Ok(index) = query.parse::<i64>() {
        return Ok(match at.at(index) {
            _ if at.bare => at.ip().into(),
            _ if at.hosts() == 0 => at.with_len().into(),
            Some(found) => found.with_len().into(),
            None => Jinja::from(false),
        });
    }
    if let Some(net) = Address::of(&Jinja::from(query)) {
        return Ok(if net.contains(at) {
            at.text.clone().into()
        } else {
            Jinja::from(())
        });
    }
    let known: Vec<&str> = QUERIES.iter().chain(&MORE).copied().collect();
    let help = did_you_mean(query, known.iter().copied())
        .unwrap_or_else(|| format!("there are {}, numbers and networks", list(&known, "and")));
    Err(refuse(format!("`{filter}` knows no `{query}`: {help}")))
}

fn usable(at: &Address, query: &str) -> Option<String> {
    let (first, last) = at.usable();
    let ip = |bits: u128| at.moved(bits).ip();
    let within = |bits: &u128| (first..=last).contains(bits);
    match query {
        "first_usable" => Some(ip(first)),
        "last_usable" => Some(ip(last)),
        "next_usable" => at.bits.checked_add(1).filter(within).map(ip),
        "previous_usable" => at.bits.checked_sub(1).filter(within).map(ip),
        _ => Some(format!("{}-{}", ip(first), ip(last))),
    }
}

/// The other one of two.
fn peer(filter: &str, at: &Address) -> Result<Jinja, Error> {
    match at.hosts() {
        1 => Ok(at.moved(at.bits ^ 1).ip().into()),
        3 if at.bits != at.first() && at.bits != at.last() => Ok(at.moved(at.bits ^ 3).ip().into()),
        3 => Err(refuse(format!(
            "`{filter}('peer')`: `{}` is the name or the broadcast of its network, which has no peer",
            at.text
        ))),
        _ => Err(refuse(format!(
            "`{filter}('peer')`: the network of `{}` is not one of two hosts",
            at.text
        ))),
    }
}

/// IPv4 within IPv6: `::ffff:0:0/96`.
const MAPPED: u128 = 0xffff << 32;

fn mapped_to_4(at: &Address) -> Jinja {
    if !at.v6 {
        return at.text.clone().into();
    }
    let low = at.bits & u128::from(u32::MAX);
    let high = at.bits & !u128::from(u32::MAX);
    if at.len < 96 || (high != MAPPED && high != 0) {
        return Jinja::from(false);
    }
    let inner = Address {
        bits: low,
        v6: false,
        len: at.len - 96,
        ..at.clone()
    };
    inner.with_len().into()
}

fn mapped_to_6(at: &Address) -> String {
    if at.v6 {
        return at.text.clone();
    }
    let outer = Address {
        bits: MAPPED | at.bits,
        v6: true,
        len: at.len + 96,
        ..at.clone()
    };
    outer.with_len()
}

/// The name that DNS asks for.
fn reverse(at: &Address) -> String {
    if at.v6 {
        let digits = format!("{:032x}", at.bits);
        let digits: Vec<String> = digits.chars().rev().map(String::from).collect();
        return format!("{}.ip6.arpa.", digits.join("."));
    }
    let parts: Vec<String> = (0..4)
        .map(|part| (at.bits >> (8 * part) & 255).to_string())
        .collect();
    format!("{}.in-addr.arpa.", parts.join("."))
}

fn link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// Networks that are not reached from everywhere, as IANA has them; those after them are, all the same.
const NOT_GLOBAL: [&str; 24] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/127",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
];
const GLOBAL: [&str; 7] = [
    "192.0.0.9/32",
    "192.0.0.10/32",
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/27",
];

fn global(ip: IpAddr) -> bool {
    let within = |nets: &[&str]| {
        nets.iter().any(|net| {
            net.parse::<ipnet::IpNet>()
                .is_ok_and(|net| net.contains(&ip))
        })
    };
    within(&GLOBAL) || !within(&NOT_GLOBAL)
}
