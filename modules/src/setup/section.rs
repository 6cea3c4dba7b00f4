//! Facts in sections: what is looked up together.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel_engine::{Map, Refusal, Value};

use super::{clock, distribution, hardware, local, lsb, network, system, virtualization};

/// What the probe of one section answered: texts by key.
pub(super) type Texts = BTreeMap<String, String>;

/// What was answered, by section.
#[derive(Debug, Default)]
pub(super) struct Raw(BTreeMap<Section, Texts>);

static NOTHING: Texts = Texts::new();

impl Raw {
    pub(super) fn add(&mut self, section: Section, texts: Texts) {
        self.0.insert(section, texts);
    }

    pub(super) fn of(&self, section: Section) -> &Texts {
        self.0.get(&section).unwrap_or(&NOTHING)
    }
}

/// A text without the space around it; nothing if there is nothing else.
pub(super) fn trimmed<'a>(texts: &'a Texts, key: &str) -> Option<&'a str> {
    let text = texts.get(key)?.trim();
    (!text.is_empty()).then_some(text)
}

/// A map of constant names.
pub(super) fn map<const N: usize>(entries: [(&str, Value); N]) -> Map {
    entries
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A list of texts.
pub(super) fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> Value {
    items.into_iter().map(Value::from).collect()
}

macro_rules! sections {
    ($($section:ident = $name:literal in $group:literal: $read:path, [$($fact:literal),*];)*) => {
        /// Facts that are looked up together.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Section {
            $(#[doc = concat!("`", $name, "`")] $section,)*
        }

        impl Section {
            const ALL: &'static [Self] = &[$(Self::$section),*];

            /// Its name, as the script has it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$section => $name,)* }
            }

            /// Which larger subset it belongs to.
            fn group(self) -> &'static str {
                match self { $(Self::$section => $group,)* }
            }

            /// The facts that it gives.
            pub fn names(self) -> &'static [&'static str] {
                match self { $(Self::$section => &[$($fact),*],)* }
            }
        }

        /// The facts of a section, without `ansible_`.
        pub(super) fn read(section: Section, raw: &Raw) -> Map {
            match section { $(Section::$section => $read(raw),)* }
        }
    };
}

sections! {
    Apparmor = "apparmor" in "min": system::apparmor, ["apparmor"];
    Chroot = "chroot" in "min": system::chroot, ["is_chroot"];
    Cmdline = "cmdline" in "min": system::cmdline, ["cmdline", "proc_cmdline"];
    DateTime = "date_time" in "min": clock::date_time, ["date_time"];
    Distribution = "distribution" in "min": distribution::read, [
        "distribution", "distribution_version", "distribution_major_version",
        "distribution_minor_version", "distribution_release", "distribution_file_path",
        "distribution_file_variety", "distribution_file_parsed",
        "distribution_file_search_string", "os_family"
    ];
    Dmi = "dmi" in "hardware": hardware::dmi, [
        "bios_date", "bios_vendor", "bios_version", "board_asset_tag", "board_name",
        "board_serial", "board_vendor", "board_version", "chassis_asset_tag", "chassis_serial",
        "chassis_vendor", "chassis_version", "form_factor", "product_name", "product_serial",
        "product_uuid", "product_version", "system_vendor"
    ];
    Dns = "dns" in "min": system::dns, ["dns"];
    Env = "env" in "min": system::env, ["env"];
    Fips = "fips" in "min": system::fips, ["fips"];
    Fqdn = "fqdn" in "min": system::fqdn, ["fqdn", "domain"];
    Loadavg = "loadavg" in "min": system::loadavg, ["loadavg"];
    Local = "local" in "min": local::read, ["local"];
    Lsb = "lsb" in "min": lsb::read, ["lsb"];
    Memory = "memory" in "hardware": hardware::memory, [
        "memtotal_mb", "memfree_mb", "swaptotal_mb", "swapfree_mb", "memory_mb"
    ];
    Mounts = "mounts" in "hardware": hardware::mounts, ["mounts"];
    Network = "network" in "network": network::read, [
        "interfaces", "default_ipv4", "default_ipv6", "all_ipv4_addresses",
        "all_ipv6_addresses", "locally_reachable_ips"
    ];
    PkgMgr = "pkg_mgr" in "min": system::pkg_mgr, ["pkg_mgr"];
    Platform = "platform" in "min": system::platform, [
        "system", "kernel", "kernel_version", "machine", "architecture", "userspace_bits",
        "userspace_architecture", "hostname", "nodename", "machine_id"
    ];
    Processor = "processor" in "hardware": hardware::processor, [
        "processor", "processor_count", "processor_cores", "processor_threads_per_core",
        "processor_vcpus", "processor_nproc", "flags"
    ];
    Python = "python" in "min": system::python, ["python", "python_version"];
    Selinux = "selinux" in "min": system::selinux, ["selinux", "selinux_python_present"];
    ServiceMgr = "service_mgr" in "min": system::service_mgr, ["service_mgr"];
    SshPubKeys = "ssh_pub_keys" in "min": system::ssh_pub_keys, [
        "ssh_host_key_dsa_public", "ssh_host_key_rsa_public", "ssh_host_key_ecdsa_public",
        "ssh_host_key_ed25519_public", "ssh_host_key_dsa_public_keytype",
        "ssh_host_key_rsa_public_keytype", "ssh_host_key_ecdsa_public_keytype",
        "ssh_host_key_ed25519_public_keytype"
    ];
    Systemd = "systemd" in "min": system::systemd, ["systemd"];
    Uptime = "uptime" in "hardware": hardware::uptime, ["uptime_seconds"];
    User = "user" in "min": system::user, [
        "user_id", "user_uid", "user_gid", "user_gecos", "user_dir", "user_shell",
        "real_user_id", "effective_user_id", "real_group_id", "effective_group_id"
    ];
    Virtual = "virtual" in "virtual": virtualization::read, [
        "virtualization_type", "virtualization_role", "virtualization_tech_guest",
        "virtualization_tech_host"
    ];
}

impl Section {
    /// The sections whose answers it is read from.
    pub(super) fn asks(self) -> Vec<Self> {
        match self {
            Self::PkgMgr => vec![Self::Distribution, self],
            _ => vec![self],
        }
    }

    /// Whether it has facts whose names depend on the host: one for each network interface.
    pub(super) fn has_open_names(self) -> bool {
        self == Self::Network
    }
}

/// Facts that Ansible has and this module has not.
const ELSEWHERE: &[&str] = &[
    "device_links",
    "devices",
    "fibre_channel_wwn",
    "hostnqn",
    "iscsi_iqn",
    "lvm",
    "system_capabilities",
    "system_capabilities_enforced",
];

/// Whether a fact of this name is gathered; the name is without `ansible_`.
pub fn is_fact(name: &str) -> bool {
    Section::ALL
        .iter()
        .any(|section| section.names().contains(&name))
}

/// Whether Ansible knows a fact of this name, which is not gathered here.
pub fn not_gathered(name: &str) -> bool {
    ELSEWHERE.contains(&name)
}

/// The names of all facts that every host has, without `ansible_`.
pub fn names() -> impl Iterator<Item = &'static str> {
    Section::ALL
        .iter()
        .flat_map(|section| section.names().iter().copied())
}

/// Sections that `gather_subset` selects.
pub(super) fn of_subsets(subsets: &[String]) -> Result<BTreeSet<Section>, Refusal> {
    let of = |name: &str| -> Result<Vec<Section>, Refusal> {
        let fits = |section: &&Section| {
            name == "all"
                || section.name() == name
                || section.group() == name
                || section.names().contains(&name)
        };
        let found: Vec<Section> = Section::ALL.iter().filter(fits).copied().collect();
        // Kinds that Ansible knows and that have nothing here.
        let empty = [
            "facter",
            "ohai",
            "caps",
            "devices",
            "iscsi",
            "nvme",
            "fibre_channel_wwn",
        ];
        if found.is_empty() && !empty.contains(&name) {
            return Err(Refusal::new(format!("there is no subset `{name}` of facts"))
                .help("there are `all`, `min`, `hardware`, `network`, `virtual`, and the names of facts"));
        }
        Ok(found)
    };
    let (mut with, mut without) = (BTreeSet::new(), BTreeSet::new());
    let mut minimum = true;
    let mut positive = false;
    for subset in subsets {
        match subset.strip_prefix('!') {
            Some("min") => minimum = false,
            Some("all") => {
                without.extend(of("all")?);
            }
            // What is not there is not gathered.
            Some(name) => without.extend(of(name).unwrap_or_default()),
            None => {
                positive = true;
                with.extend(of(subset)?);
            }
        }
    }
    if !positive && !subsets.iter().any(|subset| subset == "!all") {
        with.extend(of("all")?);
    }
    // What is named wins over what is left out by `!all`.
    let named: BTreeSet<Section> = if subsets.iter().any(|subset| subset == "!all") {
        with.clone()
    } else {
        with.difference(&without).copied().collect()
    };
    let mut all = named;
    if minimum {
        let min = of("min")?;
        let hidden: BTreeSet<Section> = subsets
            .iter()
            .filter_map(|subset| subset.strip_prefix('!'))
            .filter(|name| *name != "all")
            .flat_map(|name| of(name).unwrap_or_default())
            .collect();
        all.extend(min.into_iter().filter(|section| !hidden.contains(section)));
    }
    Ok(all)
}
