//! Interfaces, addresses and default routes.

use std::net::Ipv4Addr;

use evenkeel_engine::{Map, Value};
use indexmap::IndexMap;

use super::section::{Raw, Section, Texts, list, map, trimmed};

fn kind(number: &str) -> &'static str {
    match number {
        "1" => "ether",
        "32" => "infiniband",
        "512" => "ppp",
        "772" => "loopback",
        "65534" => "tunnel",
        _ => "unknown",
    }
}

/// The interface, address and gateway by which the world is reached.
fn default_route(texts: &Texts, key: &str) -> Map {
    let mut found = Map::new();
    let line = trimmed(texts, key).and_then(|text| text.lines().next());
    let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    if !words
        .first()
        .is_some_and(|word| word.starts_with("8.8.8.8") || word.starts_with("2404:"))
    {
        return found;
    }
    for pair in words.windows(2) {
        let name = match pair[0] {
            "dev" => "interface",
            "src" => "address",
            "via" if pair[1] != words[0] => "gateway",
            _ => continue,
        };
        found.insert(name.to_owned(), pair[1].into());
    }
    found
}

struct Interfaces {
    all: IndexMap<String, Map>,
    ipv4: Vec<Value>,
    ipv6: Vec<Value>,
    default4: Map,
    default6: Map,
}

pub(super) fn read(raw: &Raw) -> Map {
    let texts = raw.of(Section::Network);
    let mut found = Interfaces {
        all: IndexMap::new(),
        ipv4: Vec::new(),
        ipv6: Vec::new(),
        default4: default_route(texts, "route4"),
        default6: default_route(texts, "route6"),
    };
    for key in texts.keys() {
        if let Some(name) = key.strip_prefix("if/").filter(|rest| !rest.contains('/')) {
            found.all.insert(name.to_owned(), of_files(texts, name));
        }
    }
    found.addresses(texts.get("addresses").map_or("", String::as_str));
    let names: Vec<String> = found
        .all
        .keys()
        .map(|name| name.replace(':', "_"))
        .collect();
    let mut facts = map([
        ("interfaces", list(names.iter().map(String::as_str))),
        ("default_ipv4", Value::Map(found.default4)),
        ("default_ipv6", Value::Map(found.default6)),
        ("all_ipv4_addresses", Value::Seq(found.ipv4)),
        ("all_ipv6_addresses", Value::Seq(found.ipv6)),
        ("locally_reachable_ips", reachable(texts)),
    ]);
    for (name, of_interface) in names.iter().zip(found.all.into_values()) {
        facts.insert(name.clone(), Value::Map(of_interface));
    }
    facts
}

fn reachable(texts: &Texts) -> Value {
    let of = |key: &str| {
        let mut all: Vec<&str> = Vec::new();
        let lines = texts.get(key).map_or("", String::as_str).lines();
        for line in lines {
            let mut words = line.split_whitespace();
            if words.next() == Some("local") {
                all.extend(words.next().filter(|address| !all.contains(address)));
            }
        }
        list(all)
    };
    Value::Map(map([("ipv4", of("local4")), ("ipv6", of("local6"))]))
}

/// What `/sys/class/net` says of an interface.
fn of_files(texts: &Texts, name: &str) -> Map {
    let get = |attribute: &str| trimmed(texts, &format!("if/{name}/{attribute}"));
    let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let first = |attribute: &str| {
        let word = get(attribute).and_then(|text| text.split_whitespace().next());
        Value::from(word.unwrap_or_default())
    };
    let mut facts = map([("device", name.into())]);
    let mut add = |key: &str, value: Option<Value>| {
        facts.extend(value.map(|value| (key.to_owned(), value)));
    };
    let integer = |text: &str| text.parse::<i64>().ok().map(Value::from);
    let mac = get("address").filter(|mac| *mac != "00:00:00:00:00:00");
    add("macaddress", mac.map(Value::from));
    add("mtu", get("mtu").and_then(integer));
    add(
        "active",
        get("operstate").map(|state| (state != "down").into()),
    );
    add("module", get("module").map(|path| base(path).into()));
    add("type", get("type").map(|number| kind(number).into()));
    if let Some(ports) = texts.get(&format!("if/{name}/ports")) {
        add("type", Some("bridge".into()));
        add("interfaces", Some(list(ports.split_whitespace())));
        add("id", get("bridge/bridge_id").map(Value::from));
        add(
            "stp",
            get("bridge/stp_state").map(|state| (state == "1").into()),
        );
    }
    if texts.contains_key(&format!("if/{name}/bonding/mode")) {
        add("type", Some("bonding".into()));
        let slaves = get("bonding/slaves").unwrap_or_default();
        add("slaves", Some(list(slaves.split_whitespace())));
        for key in ["mode", "miimon", "lacp_rate"] {
            add(key, Some(first(&format!("bonding/{key}"))));
        }
        if let Some(primary) = get("bonding/primary") {
            add("primary", Some(primary.into()));
            let all = get("bonding/all_slaves_active");
            add("all_slaves_active", all.map(|on| (on == "1").into()));
        }
    }
    add(
        "perm_macaddress",
        get("bonding_slave/perm_hwaddr").map(Value::from),
    );
    add("pciid", get("device").map(|path| base(path).into()));
    add("speed", get("speed").and_then(integer));
    let flags =
        get("flags").and_then(|flags| u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok());
    add("promisc", flags.map(|flags| (flags & 0x100 != 0).into()));
    facts
}

impl Interfaces {
    /// What `ip addr show` says.
    fn addresses(&mut self, text: &str) {
        let mut device = String::new();
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [number, name, ..] if number.ends_with(':') && !line.starts_with(' ') => {
                    let name = name.trim_end_matches(':');
                    name.split('@')
                        .next()
                        .unwrap_or(name)
                        .clone_into(&mut device);
                }
                ["inet", ..] => self.ipv4(&device, &words),
                ["inet6", ..] => self.ipv6(&device, &words),
                _ => {}
            }
        }
    }

    fn ipv4(&mut self, device: &str, words: &[&str]) {
        let Some(written) = words.get(1) else { return };
        let (address, prefix) = written.split_once('/').unwrap_or((written, "32"));
        let broadcast = match words[2..] {
            ["brd", broadcast, ..] => broadcast,
            _ => "",
        };
        let (Ok(number), Ok(bits)) = (address.parse::<Ipv4Addr>(), prefix.parse::<u32>()) else {
            return;
        };
        let mask = u32::MAX.checked_shl(32 - bits.min(32)).unwrap_or(0);
        let facts = map([
            ("address", address.into()),
            ("broadcast", broadcast.into()),
            ("netmask", Ipv4Addr::from(mask).to_string().into()),
            (
                "network",
                Ipv4Addr::from(u32::from(number) & mask).to_string().into(),
            ),
            ("prefix", prefix.into()),
        ]);
        let label = label(words);
        let secondary = words.contains(&"secondary");
        let own = self.all.get(device).cloned().unwrap_or_default();
        for name in [label, device]
            .into_iter()
            .take(if secondary && label != device { 2 } else { 1 })
        {
            let interface = self.all.entry(name.to_owned()).or_default();
            if !secondary && !interface.contains_key("ipv4") {
                interface.insert("ipv4".to_owned(), Value::Map(facts.clone()));
            } else {
                push(interface, "ipv4_secondaries", Value::Map(facts.clone()));
            }
        }
        if self.default4.get("address").and_then(Value::as_str) == Some(address) {
            let more = ["broadcast", "netmask", "network", "prefix"];
            let more = more.map(|name| (name.to_owned(), facts[name].clone()));
            self.default4.extend(more);
            self.default4.extend(link(&own));
            self.default4.insert("alias".to_owned(), label.into());
        }
        if !address.starts_with("127.") {
            self.ipv4.push(address.into());
        }
    }

    fn ipv6(&mut self, device: &str, words: &[&str]) {
        let (address, prefix, scope) = match words[1..] {
            [address, "peer", peer, _, scope, ..] => (
                address,
                peer.split_once('/').map_or("128", |(_, prefix)| prefix),
                scope,
            ),
            [written, _, scope, ..] => {
                let (address, prefix) = written.split_once('/').unwrap_or((written, "128"));
                (address, prefix, scope)
            }
            _ => return,
        };
        let facts = map([
            ("address", address.into()),
            ("prefix", prefix.into()),
            ("scope", scope.into()),
        ]);
        let interface = self.all.entry(device.to_owned()).or_default();
        if self.default6.get("address").and_then(Value::as_str) == Some(address) {
            let more = ["prefix", "scope"].map(|name| (name.to_owned(), facts[name].clone()));
            self.default6.extend(more);
            self.default6.extend(link(interface));
        }
        push(interface, "ipv6", Value::Map(facts));
        if address != "::1" {
            self.ipv6.push(address.into());
        }
    }
}

/// The label of an address: the last word of its line, unless that says how long it lives.
fn label<'a>(words: &[&'a str]) -> &'a str {
    words.last().copied().unwrap_or_default()
}

/// What a default route tells of its interface.
fn link(interface: &Map) -> Map {
    let mac = interface.get("macaddress").cloned();
    let kind = interface.get("type").cloned();
    map([
        (
            "macaddress",
            mac.unwrap_or_else(|| "00:00:00:00:00:00".into()),
        ),
        ("mtu", interface.get("mtu").cloned().unwrap_or_default()),
        ("type", kind.unwrap_or_else(|| "unknown".into())),
    ])
}

fn push(interface: &mut Map, name: &str, value: Value) {
    let list = interface
        .entry(name.to_owned())
        .or_insert_with(|| Value::Seq(Vec::new()));
    if let Value::Seq(all) = list {
        all.push(value);
    }
}
