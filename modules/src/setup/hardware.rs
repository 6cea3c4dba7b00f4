//! Processors, memory, file systems, and what the firmware says.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel_engine::{Map, Value};
use indexmap::IndexMap;

use super::section::{Raw, Section, Texts, map, trimmed};

/// What `/proc/cpuinfo` says, counted.
#[derive(Default)]
struct Cpus {
    names: Vec<Value>,
    flags: Option<Vec<Value>>,
    vendors: i64,
    models: i64,
    processors: i64,
    active: Option<i64>,
    /// By number of the socket, how many cores it has.
    sockets: IndexMap<String, i64>,
    /// By number of the core, how many threads its socket has.
    cores: IndexMap<String, i64>,
    mainframe: (i64, i64),
}

impl Cpus {
    fn new(text: &str) -> Self {
        let mut it = Self::default();
        let (mut socket, mut core) = ("0".to_owned(), "0".to_owned());
        let number = |value: &str| value.parse::<i64>().unwrap_or_default();
        for line in text.lines() {
            let (key, value) = line.split_once(':').unwrap_or((line, ""));
            let (key, value) = (key.trim(), value.trim());
            match key {
                "flags" => it.flags = Some(value.split_whitespace().map(Value::from).collect()),
                "model name" | "Processor" | "vendor_id" | "cpu" | "Vendor" | "processor" => {
                    it.names.push(value.into());
                    match key {
                        "vendor_id" => it.vendors += 1,
                        "model name" => it.models += 1,
                        "processor" => it.processors += 1,
                        _ => {}
                    }
                }
                "physical id" => {
                    value.clone_into(&mut socket);
                    it.sockets.entry(socket.clone()).or_insert(1);
                }
                "core id" => {
                    value.clone_into(&mut core);
                    if !it.sockets.contains_key(&core) {
                        it.cores.insert(core.clone(), 1);
                    }
                }
                "cpu cores" => {
                    it.sockets.insert(socket.clone(), number(value));
                }
                "siblings" => {
                    it.cores.insert(core.clone(), number(value));
                }
                "# processors" => it.mainframe.0 = number(value),
                "max thread id" => it.mainframe.1 = number(value) + 1,
                "ncpus active" => it.active = Some(number(value)),
                _ => {}
            }
        }
        it
    }

    /// How many there are, where sockets are not told apart.
    fn count(&self, machine: &str) -> i64 {
        if ["armv", "aarch", "ppc"]
            .iter()
            .any(|kind| machine.starts_with(kind))
        {
            self.processors
        } else if let Some(active) = self.active {
            active
        } else if self.vendors > 0 && self.vendors == self.models {
            self.vendors
        } else {
            i64::try_from(self.names.len()).unwrap_or(i64::MAX)
        }
    }
}

/// A quotient, rounded as Python rounds: a half goes to the even number.
fn rounded(top: i64, bottom: i64) -> i64 {
    let bottom = bottom.max(1);
    let (whole, rest) = (top / bottom, top % bottom);
    match (2 * rest).cmp(&bottom) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Greater => whole + 1,
        std::cmp::Ordering::Equal => whole + whole % 2,
    }
}

pub(super) fn processor(raw: &Raw) -> Map {
    let texts = raw.of(Section::Processor);
    let Some(text) = texts.get("cpuinfo") else {
        return Map::new();
    };
    let machine = trimmed(texts, "machine").unwrap_or_default();
    let cpus = Cpus::new(text);
    let count = cpus.count(machine);
    let xen = texts.contains_key("/proc/xen") || trimmed(texts, "hypervisor") == Some("xen");
    let vme = |flags: &Vec<Value>| flags.iter().any(|flag| flag.as_str() == Some("vme"));
    let paravirt = xen && cpus.flags.as_ref().is_some_and(|flags| !vme(flags));
    let (sockets, cores, threads, vcpus, known) = if machine == "s390x" {
        let (all, threads) = cpus.mainframe;
        (1, rounded(all, threads), threads, all, all)
    } else if paravirt {
        (count, count, 1, count, count)
    } else {
        let sockets = i64::try_from(cpus.sockets.len()).unwrap_or(i64::MAX);
        let sockets = if sockets == 0 { count } else { sockets };
        let cores = cpus.sockets.values().next().copied();
        let cores = cores.filter(|cores| *cores > 0).unwrap_or(1);
        let threads = rounded(cpus.cores.values().next().copied().unwrap_or(1), cores);
        (
            sockets,
            cores,
            threads,
            threads * sockets * cores,
            cpus.processors,
        )
    };
    let nproc = trimmed(texts, "nproc").and_then(|text| text.parse().ok());
    let mut facts = map([
        ("processor", Value::Seq(cpus.names)),
        ("processor_count", sockets.into()),
        ("processor_cores", cores.into()),
        ("processor_threads_per_core", threads.into()),
        ("processor_vcpus", vcpus.into()),
        ("processor_nproc", nproc.unwrap_or(known).into()),
    ]);
    if let Some(flags) = cpus.flags {
        facts.insert("flags".to_owned(), Value::Seq(flags));
    }
    facts
}

pub(super) fn memory(raw: &Raw) -> Map {
    let Some(text) = trimmed(raw.of(Section::Memory), "meminfo") else {
        return Map::new();
    };
    let amounts: BTreeMap<&str, i64> = text
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.split_once(':')?;
            let kib: i64 = rest.split_whitespace().next()?.parse().ok()?;
            Some((name, kib / 1024))
        })
        .collect();
    let get = |name: &str| amounts.get(name).copied();
    let told = |amount: Option<i64>| amount.map_or(Value::Null, Value::from);
    let (total, free) = (get("MemTotal"), get("MemFree"));
    let nocache = (|| Some(get("Cached")? + free? + get("Buffers")?))();
    let less = |whole: Option<i64>, part: Option<i64>| Some(whole? - part?);
    let (swap, swap_free) = (get("SwapTotal"), get("SwapFree"));
    let parts = map([
        (
            "real",
            Value::Map(map([
                ("total", told(total)),
                ("used", told(less(total, free))),
                ("free", told(free)),
            ])),
        ),
        (
            "nocache",
            Value::Map(map([
                ("free", told(nocache)),
                ("used", told(less(total, nocache))),
            ])),
        ),
        (
            "swap",
            Value::Map(map([
                ("total", told(swap)),
                ("free", told(swap_free)),
                ("used", told(less(swap, swap_free))),
                ("cached", told(get("SwapCached"))),
            ])),
        ),
    ]);
    let mut facts = Map::new();
    for (name, amount) in [
        ("memtotal_mb", total),
        ("memfree_mb", free),
        ("swaptotal_mb", swap),
        ("swapfree_mb", swap_free),
    ] {
        facts.extend(amount.map(|amount| (name.to_owned(), amount.into())));
    }
    facts.insert("memory_mb".to_owned(), Value::Map(parts));
    facts
}

pub(super) fn uptime(raw: &Raw) -> Map {
    let text = trimmed(raw.of(Section::Uptime), "uptime").unwrap_or_default();
    let whole = text
        .split('.')
        .next()
        .and_then(|text| text.parse::<i64>().ok());
    let fact = whole.map(|seconds| ("uptime_seconds".to_owned(), seconds.into()));
    fact.into_iter().collect()
}

/// The octal escapes of the table of mounts.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4);
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            out.push(char::from(byte));
            rest = &rest[at + 4..];
        } else {
            out.push('\\');
            rest = &rest[at + 1..];
        }
    }
    out + rest
}

pub(super) fn mounts(raw: &Raw) -> Map {
    let texts = raw.of(Section::Mounts);
    let numbered = texts.iter().filter_map(|(key, line)| {
        let number = key.strip_prefix("mount/")?;
        Some((number, line.split(' ').collect::<Vec<_>>()))
    });
    let mut seen = BTreeSet::new();
    let mut all: Vec<Value> = Vec::new();
    for (number, fields) in numbered {
        let [device, mount, fstype, options, ref rest @ ..] = fields[..] else {
            continue;
        };
        // What is mounted over hides what was there before.
        let mount = plain(mount);
        if !seen.insert(mount.clone()) {
            all.retain(|other| other.get("mount").and_then(Value::as_str) != Some(mount.as_str()));
        }
        let rest = |at: usize| rest.get(at).and_then(|text| text.parse::<i64>().ok());
        let mut fact = map([
            ("mount", mount.as_str().into()),
            ("device", plain(device).into()),
            ("fstype", plain(fstype).into()),
            ("options", plain(options).into()),
            ("dump", rest(0).unwrap_or_default().into()),
            ("passno", rest(1).unwrap_or_default().into()),
        ]);
        fact.extend(size(texts, number));
        fact.insert("uuid".to_owned(), uuid(texts, device).into());
        all.push(Value::Map(fact));
    }
    map([("mounts", Value::Seq(all))])
}

fn size(texts: &Texts, number: &str) -> Map {
    let line = trimmed(texts, &format!("size/{number}")).unwrap_or_default();
    let numbers: Vec<i64> = line
        .split(' ')
        .filter_map(|text| text.parse().ok())
        .collect();
    let [fragment, block, blocks, _, available, inodes, free] = numbers[..] else {
        return Map::new();
    };
    map([
        ("size_total", (fragment * blocks).into()),
        ("size_available", (fragment * available).into()),
        ("block_size", block.into()),
        ("block_total", blocks.into()),
        ("block_available", available.into()),
        ("block_used", (blocks - available).into()),
        ("inode_total", inodes.into()),
        ("inode_available", free.into()),
        ("inode_used", (inodes - free).into()),
    ])
}

fn uuid<'a>(texts: &'a Texts, device: &str) -> &'a str {
    let of_device = |(key, path): (&'a String, &String)| {
        (path == device)
            .then(|| key.strip_prefix("uuid/"))
            .flatten()
    };
    texts.iter().find_map(of_device).unwrap_or("N/A")
}

/// Facts of the firmware, and the file of each.
const DMI: &[(&str, &str)] = &[
    ("bios_date", "bios_date"),
    ("bios_vendor", "bios_vendor"),
    ("bios_version", "bios_version"),
    ("board_asset_tag", "board_asset_tag"),
    ("board_name", "board_name"),
    ("board_serial", "board_serial"),
    ("board_vendor", "board_vendor"),
    ("board_version", "board_version"),
    ("chassis_asset_tag", "chassis_asset_tag"),
    ("chassis_serial", "chassis_serial"),
    ("chassis_vendor", "chassis_vendor"),
    ("chassis_version", "chassis_version"),
    ("form_factor", "chassis_type"),
    ("product_name", "product_name"),
    ("product_serial", "product_serial"),
    ("product_uuid", "product_uuid"),
    ("product_version", "product_version"),
    ("system_vendor", "sys_vendor"),
];

const FORMS: &[&str] = &[
    "Unknown",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All In One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "Sub Chassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system",
    "CompactPCI",
    "AdvancedTCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
];

pub(super) fn dmi(raw: &Raw) -> Map {
    let texts = raw.of(Section::Dmi);
    let value = |name: &str, file: &str| -> Value {
        let Some(text) = trimmed(texts, file) else {
            return "NA".into();
        };
        if name != "form_factor" {
            return text.into();
        }
        let form = text.parse().ok().and_then(|at: usize| FORMS.get(at));
        form.map_or_else(|| format!("unknown ({text})").into(), |form| (*form).into())
    };
    DMI.iter()
        .map(|(name, file)| ((*name).to_owned(), value(name, file)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{plain, rounded};

    #[test]
    fn halves_go_to_the_even_number() {
        assert_eq!([rounded(1, 2), rounded(3, 2), rounded(4, 2)], [0, 2, 2]);
    }

    #[test]
    fn escapes_of_mounts() {
        assert_eq!(plain(r"/mnt/a\040b\134c\x"), r"/mnt/a b\c\x");
    }
}
