//! Whether a host is a guest of something, or has guests.

use std::collections::BTreeSet;

use evenkeel_engine::{Map, Value};
use regex::Regex;

use super::section::{Raw, Section, Texts, list, map, trimmed};

/// What was found; the first word on the type counts.
#[derive(Default)]
struct Found {
    kind: Option<String>,
    role: Option<&'static str>,
    settled: bool,
    guest: BTreeSet<String>,
    host: BTreeSet<String>,
}

impl Found {
    fn first(&mut self, kind: &str, role: &'static str) {
        if !self.settled {
            (self.kind, self.role, self.settled) = (Some(kind.to_owned()), Some(role), true);
        }
    }

    fn guest_of(&mut self, kind: &str) {
        self.guest.insert(kind.to_owned());
        self.first(kind, "guest");
    }

    fn host_of(&mut self, kind: &str) {
        self.host.insert(kind.to_owned());
        self.first(kind, "host");
    }
}

pub(super) fn read(raw: &Raw) -> Map {
    let texts = raw.of(Section::Virtual);
    let mut found = Found::default();
    containers(texts, &mut found);
    if texts.contains_key("/proc/xen") {
        if texts
            .get("xen")
            .is_some_and(|text| text.contains("control_d"))
        {
            found.host_of("xen");
        } else {
            found.first("xen", "guest");
        }
    }
    firmware(texts, &mut found);
    processors(texts, &mut found);
    let modules = trimmed(texts, "modules").unwrap_or_default();
    let loaded = |name: &str| modules.split_whitespace().any(|module| module == name);
    if loaded("kvm") {
        found.host_of("kvm");
    }
    if loaded("vboxdrv") {
        found.host_of("virtualbox");
    }
    if loaded("virtio") {
        found.host.insert("kvm".to_owned());
        found.first("kvm", "guest");
    }
    if let Some(text) = trimmed(texts, "dmidecode") {
        if text.starts_with("VMware") {
            found.guest_of("VMware");
        }
        if text.contains("BHYVE") {
            found.guest_of("bhyve");
        }
    }
    if texts.contains_key("/dev/kvm") {
        found.host_of("kvm");
    }
    let kind = found.kind.unwrap_or_else(|| "NA".to_owned());
    let mut facts = map([
        ("virtualization_type", kind.into()),
        (
            "virtualization_tech_guest",
            list(found.guest.iter().map(String::as_str)),
        ),
        (
            "virtualization_tech_host",
            list(found.host.iter().map(String::as_str)),
        ),
    ]);
    let role = found.role.unwrap_or("NA");
    facts.insert("virtualization_role".to_owned(), Value::from(role));
    facts
}

fn containers(texts: &Texts, found: &mut Found) {
    let docker = Regex::new(r"/docker(/|-[0-9a-f]+\.scope)");
    for line in texts.get("cgroup").map_or("", String::as_str).lines() {
        if docker.as_ref().is_ok_and(|docker| docker.is_match(line)) {
            found.guest_of("docker");
        }
        if line.contains("/lxc/") || line.contains("/machine.slice/machine-lxc") {
            found.guest_of("lxc");
        }
        if line.contains("/system.slice/containerd.service") {
            found.guest_of("containerd");
        }
    }
    for line in texts.get("environ").map_or("", String::as_str).lines() {
        for kind in ["lxc", "podman"] {
            if line.contains(&format!("container={kind}")) {
                found.guest_of(kind);
            }
        }
        if line
            .strip_prefix("container=")
            .is_some_and(|kind| !kind.is_empty())
        {
            found.guest_of("container");
        }
    }
    let there = |path: &str| texts.contains_key(path);
    if there("/proc/vz") && !there("/proc/lve") {
        if there("/proc/bc") {
            found.host_of("openvz");
        } else {
            found.guest_of("openvz");
        }
    }
    let told = trimmed(texts, "container");
    if let Some(kind) = told {
        found.guest_of(kind);
    }
    if there("/.dockerenv") || there("/.dockerinit") {
        found.guest_of("docker");
    }
    let kinds = ["docker", "lxc", "podman", "openvz", "containerd"];
    if told.is_some() || kinds.iter().any(|kind| found.guest.contains(*kind)) {
        found.guest.insert("container".to_owned());
    }
}

fn firmware(texts: &Texts, found: &mut Found) {
    let get = |key: &str| trimmed(texts, key).unwrap_or_default();
    let (product, vendor, bios) = (get("product_name"), get("sys_vendor"), get("bios_vendor"));
    let kvm = [
        "KVM",
        "KVM Server",
        "Bochs",
        "AHV",
        "CloudStack KVM Hypervisor",
    ];
    if kvm.contains(&product) {
        found.guest_of("kvm");
    }
    if vendor == "oVirt" {
        found.guest_of("oVirt");
    }
    if vendor == "Red Hat" {
        if get("product_family") == "RHV" {
            found.guest_of("RHV");
        } else if product == "RHEV Hypervisor" {
            found.guest_of("RHEV");
        }
    }
    if product.starts_with("VMware") {
        found.guest_of("VMware");
    }
    if ["OpenStack Compute", "OpenStack Nova"].contains(&product) {
        found.guest_of("openstack");
    }
    match bios {
        "Xen" => found.guest_of("xen"),
        "innotek GmbH" => found.guest_of("virtualbox"),
        "Amazon EC2" | "DigitalOcean" | "Hetzner" | "Linode" => found.guest_of("kvm"),
        _ => {}
    }
    match vendor {
        "QEMU" | "Amazon EC2" | "DigitalOcean" | "Google" | "Scaleway" | "Nutanix" => {
            found.guest_of("kvm");
        }
        "KubeVirt" => found.guest_of("KubeVirt"),
        "Microsoft Corporation" => found.guest_of("VirtualPC"),
        "Parallels Software International Inc." => found.guest_of("parallels"),
        "OpenStack Foundation" => found.guest_of("openstack"),
        _ => {}
    }
}

fn processors(texts: &Texts, found: &mut Found) {
    let has = |key: &str, word: &str| texts.get(key).is_some_and(|text| text.contains(word));
    if has("model", "QEMU Virtual CPU") || has("machine", "CHRP IBM pSeries (emulated by qemu)") {
        found.guest_of("kvm");
    }
    if has("vendor", "User Mode Linux") || has("model", "UML") {
        found.guest_of("uml");
    }
    if has("vendor", "PowerVM Lx86") {
        found.guest_of("powervm_lx86");
    }
    if has("vendor", "IBM/S390") {
        found.guest.insert("PR/SM".to_owned());
        found.first("PR/SM", "LPAR");
    }
}
