//! Filters of addresses and networks, as the collection `ansible.utils` has them.

mod address;
mod query;
pub(super) mod within;

use std::net::IpAddr;

use ipnet::IpNet;
use minijinja::{
    Environment, Error,
    value::{Kwargs, Rest, Value as Jinja, ValueKind},
};

use super::{data::items, data::named, given, refuse};
use address::Address;

pub(super) fn add(env: &mut Environment<'static>) {
    within::add(env);
    env.add_filter(
        "ipaddr",
        |value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs| {
            of(value, &args, &kwargs, "ipaddr", None)
        },
    );
    env.add_filter(
        "ipv4",
        |value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs| {
            of(value, &args, &kwargs, "ipv4", Some(false))
        },
    );
    env.add_filter(
        "ipv6",
        |value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs| {
            of(value, &args, &kwargs, "ipv6", Some(true))
        },
    );
    env.add_filter("ipwrap", wrap);
    env.add_filter("ipsubnet", subnet);
    env.add_filter("ipmath", math);
    env.add_filter("nthhost", nth);
    env.add_filter("cidr_merge", merge);
    env.add_filter("network_in_network", |net: &Jinja, other: &Jinja| {
        let (net, other) = both("network_in_network", net, other)?;
        Ok::<_, Error>(net.contains(&other))
    });
    env.add_filter("network_in_usable", |net: &Jinja, other: &Jinja| {
        let (net, other) = both("network_in_usable", net, other)?;
        let (first, last) = net.usable();
        let within = net.v6 == other.v6 && other.first() >= first && other.last() <= last;
        Ok::<_, Error>(within)
    });
    for name in ["hwaddr", "macaddr"] {
        env.add_filter(name, move |value: &Jinja, kind: Option<String>| {
            hardware(name, value, kind.as_deref().unwrap_or_default())
        });
    }
}

/// What a query says of an address, or of each of a list: those of which it says nothing are left out.
fn of(
    value: &Jinja,
    args: &[Jinja],
    kwargs: &Kwargs,
    filter: &str,
    v6: Option<bool>,
) -> Result<Jinja, Error> {
    let [query] = given(filter, args, kwargs, ["query"])?;
    let query = query.map_or_else(String::new, |query| query.to_string());
    let one = |value: &Jinja| match Address::of(value) {
        Some(address) if v6.is_none_or(|v6| v6 == address.v6) => {
            query::answer(filter, &address, &query)
        }
        _ => Ok(Jinja::from(false)),
    };
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let mut found = Vec::new();
            for item in items(filter, value)? {
                let answer = one(&item)?;
                if answer.is_true() {
                    found.push(answer);
                }
            }
            Ok(found.into())
        }
        ValueKind::Undefined => Err(Error::from(minijinja::ErrorKind::UndefinedError)),
        ValueKind::Map => Err(refuse(format!(
            "`{filter}` wants an address or a list of them, found a map"
        ))),
        _ => one(value),
    }
}

fn must(filter: &str, value: &Jinja) -> Result<Address, Error> {
    Address::of(value).ok_or_else(|| match value.as_str() {
        Some(text) => refuse(format!("`{filter}`: `{text}` is no address and no network")),
        None if value.is_undefined() => Error::from(minijinja::ErrorKind::UndefinedError),
        None => refuse(format!(
            "`{filter}` wants an address or a network, found {}",
            named(value.kind())
        )),
    })
}

fn both(filter: &str, a: &Jinja, b: &Jinja) -> Result<(Address, Address), Error> {
    Ok((must(filter, a)?, must(filter, b)?))
}

/// Addresses of IPv6 in brackets; what is no address stays.
fn wrap(value: &Jinja) -> Result<Jinja, Error> {
    if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        let all = items("ipwrap", value)?;
        return all
            .iter()
            .map(wrap)
            .collect::<Result<Vec<_>, _>>()
            .map(Jinja::from);
    }
    match Address::of(value) {
        Some(address) if address.v6 => query::answer("ipwrap", &address, "wrap"),
        _ if value.is_undefined() => Err(Error::from(minijinja::ErrorKind::UndefinedError)),
        _ => Ok(value.clone()),
    }
}

/// How many networks of a length are in a network, or one of them; around an address, the network of that length.
fn subnet(value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let [query, index] = given("ipsubnet", &args, &kwargs, ["query", "index"])?;
    let address = must("ipsubnet", value)?;
    let Some(query) = query else {
        return Ok(Jinja::from(address.network().with_len()));
    };
    let Ok(len) = query.to_string().parse::<u8>() else {
        return Err(refuse(format!(
            "`ipsubnet` wants the length of a prefix, found `{query}`"
        )));
    };
    let width = address.width();
    let index = index.map(|index| index.to_string().parse::<i64>());
    let index = index
        .transpose()
        .map_err(|_| refuse("`ipsubnet`: the index is a whole number"))?;
    if len > width {
        return Ok(Jinja::from(false));
    }
    if address.len == width {
        // Around an address.
        let around = Address {
            len: index.map_or(len, |at| u8::try_from(at).unwrap_or(len)),
            ..address
        };
        return Ok(Jinja::from(around.network().with_len()));
    }
    if len < address.len {
        return Ok(Jinja::from(false));
    }
    let count = 1_u128.checked_shl(u32::from(len - address.len));
    let (Some(index), Some(count)) = (index, count) else {
        return Ok(count.map_or_else(|| Jinja::from(false), |count| count.to_string().into()));
    };
    let at = if index < 0 {
        count.checked_sub(u128::from(index.unsigned_abs()))
    } else {
        Some(u128::from(index.unsigned_abs())).filter(|at| *at < count)
    };
    let Some(at) = at else {
        return Ok(Jinja::from(false));
    };
    let step = 1_u128.checked_shl(u32::from(width - len)).unwrap_or(0);
    let bits = address.first() + at * step;
    Ok(Jinja::from(
        Address {
            bits,
            len,
            ..address
        }
        .with_len(),
    ))
}

fn number(number: u128) -> Jinja {
    u64::try_from(number).map_or_else(|_| Jinja::from(number), Jinja::from)
}

/// An address so much further.
fn math(value: &Jinja, by: i64) -> Result<String, Error> {
    let address = must("ipmath", value)?;
    let all = address.all();
    let bits = address.bits.checked_add_signed(i128::from(by));
    let Some(bits) = bits.filter(|bits| *bits <= all) else {
        return Err(refuse(format!(
            "`ipmath`: there is no address {by} from `{value}`"
        )));
    };
    Ok(Address { bits, ..address }.ip())
}

/// An address of a network, counted from its first, or from its last.
fn nth(value: &Jinja, index: i64) -> Jinja {
    let found = Address::of(value).and_then(|address| address.at(index));
    found.map_or_else(|| Jinja::from(false), |found| Jinja::from(found.ip()))
}

/// As few networks as hold the same addresses; or the one that holds them all.
fn merge(value: &Jinja, args: Rest<Jinja>, kwargs: Kwargs) -> Result<Jinja, Error> {
    let [action] = given("cidr_merge", &args, &kwargs, ["action"])?;
    let all: Vec<Address> = items("cidr_merge", value)?
        .iter()
        .map(|item| must("cidr_merge", item))
        .collect::<Result<_, _>>()?;
    match action.as_ref().map(ToString::to_string).as_deref() {
        None | Some("merge") => {
            let nets: Vec<IpNet> = all
                .iter()
                .filter_map(|address| {
                    let ip: IpAddr = address.address();
                    IpNet::new(ip, address.len).ok()
                })
                .collect();
            let merged = IpNet::aggregate(&nets);
            Ok(merged
                .iter()
                .map(|net| Jinja::from(net.to_string()))
                .collect())
        }
        Some("span") => {
            let Some(first) = all.first() else {
                return Ok(Jinja::from(()));
            };
            if all.iter().any(|address| address.v6 != first.v6) {
                return Err(refuse(
                    "`cidr_merge`: addresses of IPv4 and IPv6 have no network in common",
                ));
            }
            let mut span = first.network();
            while !all.iter().all(|address| span.contains(address)) {
                span.len -= 1;
                span = span.network();
            }
            Ok(Jinja::from(span.with_len()))
        }
        Some(other) => Err(refuse(format!(
            "`cidr_merge` knows `merge` and `span`, not `{other}`"
        ))),
    }
}

/// The address of a network card in another form.
fn hardware(filter: &str, value: &Jinja, kind: &str) -> Result<Jinja, Error> {
    let text = value.as_str().unwrap_or_default();
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, ':' | '-' | '.'))
        .collect();
    let digits = digits.to_ascii_lowercase();
    let right = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if value.is_undefined() {
        return Err(Error::from(minijinja::ErrorKind::UndefinedError));
    }
    if !right {
        return match kind {
            "" => Ok(Jinja::from(())),
            "bool" => Ok(Jinja::from(false)),
            _ => Err(refuse(format!(
                "`{filter}`: `{value}` is no address of a network card"
            ))),
        };
    }
    let parts = |size: usize, between: &str| {
        let parts: Vec<&str> = (0..12)
            .step_by(size)
            .map(|at| &digits[at..at + size])
            .collect();
        parts.join(between)
    };
    Ok(Jinja::from(match kind {
        "" => text.to_owned(),
        "bool" => return Ok(Jinja::from(true)),
        "int" => return Ok(Jinja::from(u64::from_str_radix(&digits, 16).unwrap_or(0))),
        "bare" => digits.to_ascii_uppercase(),
        "cisco" => parts(4, "."),
        "linux" | "unix" => parts(2, ":"),
        "eui48" | "win" => parts(2, "-").to_ascii_uppercase(),
        "pgsql" | "postgresql" | "psql" => parts(6, ":"),
        other => {
            return Err(refuse(format!(
                "`{filter}` knows `bare`, `bool`, `cisco`, `eui48`, `int`, `linux`, `pgsql`, `unix` and `win`, not `{other}`"
            )));
        }
    }))
}
