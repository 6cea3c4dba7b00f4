//! The options that are set so far: for each the first value counts.

use super::{
    host::{AddressFamily, StrictHostKeyChecking},
    value::Setting,
};
use crate::place::Place;

/// A value and where it was said.
#[derive(Clone, Debug)]
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// The way to a host; an option of one kind closes the slot for the other.
#[derive(Clone, Debug)]
pub(super) enum ProxySetting {
    Jump(String),
    Command(String),
}

type Slot<T> = Option<Said<T>>;

#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) address_family: Slot<AddressFamily>,
    pub(super) bind_address: Slot<String>,
    pub(super) certificate_files: Vec<Said<String>>,
    pub(super) check_host_ip: Slot<bool>,
    pub(super) connect_timeout: Slot<u64>,
    pub(super) connection_attempts: Slot<u32>,
    pub(super) forward_agent: Slot<String>,
    pub(super) global_known_hosts: Slot<Vec<String>>,
    pub(super) hash_known_hosts: Slot<bool>,
    pub(super) host_key_alias: Slot<String>,
    pub(super) host_name: Slot<String>,
    pub(super) identities_only: Slot<bool>,
    pub(super) identity_agent: Slot<String>,
    pub(super) identity_files: Vec<Said<String>>,
    pub(super) ignore_unknown: Slot<Vec<String>>,
    pub(super) kbd_interactive: Slot<bool>,
    pub(super) password: Slot<bool>,
    pub(super) port: Slot<u16>,
    pub(super) preferred: Slot<Vec<String>>,
    pub(super) proxy: Slot<ProxySetting>,
    pub(super) pubkey: Slot<bool>,
    pub(super) server_alive_count_max: Slot<u32>,
    pub(super) server_alive_interval: Slot<u64>,
    pub(super) strict: Slot<StrictHostKeyChecking>,
    pub(super) user: Slot<String>,
    pub(super) user_known_hosts: Slot<Vec<String>>,
}

impl Options {
    /// Takes an option, unless it is set.
    pub(super) fn take(&mut self, setting: &Setting, place: &Place) {
        match setting {
            Setting::AddressFamily(value) => first(&mut self.address_family, value, place),
            Setting::BindAddress(value) => first(&mut self.bind_address, value, place),
            Setting::CertificateFile(value) => add(&mut self.certificate_files, value, place),
            Setting::CheckHostIp(value) => first(&mut self.check_host_ip, value, place),
            Setting::ConnectTimeout(value) => first(&mut self.connect_timeout, value, place),
            Setting::ConnectionAttempts(value) => {
                first(&mut self.connection_attempts, value, place);
            }
            Setting::ForwardAgent(value) => first(&mut self.forward_agent, value, place),
            Setting::GlobalKnownHostsFile(value) => {
                first(&mut self.global_known_hosts, value, place);
            }
            Setting::HashKnownHosts(value) => first(&mut self.hash_known_hosts, value, place),
            Setting::HostKeyAlias(value) => first(&mut self.host_key_alias, value, place),
            Setting::HostName(value) => first(&mut self.host_name, value, place),
            Setting::IdentitiesOnly(value) => first(&mut self.identities_only, value, place),
            Setting::IdentityAgent(value) => first(&mut self.identity_agent, value, place),
            Setting::IdentityFile(value) => add(&mut self.identity_files, value, place),
            Setting::IgnoreUnknown(value) => first(&mut self.ignore_unknown, value, place),
            Setting::KbdInteractiveAuthentication(value) => {
                first(&mut self.kbd_interactive, value, place);
            }
            Setting::PasswordAuthentication(value) => first(&mut self.password, value, place),
            Setting::Port(value) => first(&mut self.port, value, place),
            Setting::PreferredAuthentications(value) => first(&mut self.preferred, value, place),
            Setting::ProxyCommand(value) => {
                first(
                    &mut self.proxy,
                    &ProxySetting::Command(value.clone()),
                    place,
                );
            }
            Setting::ProxyJump(value) => {
                first(&mut self.proxy, &ProxySetting::Jump(value.clone()), place);
            }
            Setting::PubkeyAuthentication(value) => first(&mut self.pubkey, value, place),
            Setting::ServerAliveCountMax(value) => {
                first(&mut self.server_alive_count_max, value, place);
            }
            Setting::ServerAliveInterval(value) => {
                first(&mut self.server_alive_interval, value, place);
            }
            Setting::StrictHostKeyChecking(value) => first(&mut self.strict, value, place),
            Setting::User(value) => first(&mut self.user, value, place),
            Setting::UserKnownHostsFile(value) => first(&mut self.user_known_hosts, value, place),
            Setting::Ignored { .. } => {}
        }
    }
}

fn first<T: Clone>(slot: &mut Slot<T>, value: &T, place: &Place) {
    slot.get_or_insert_with(|| Said {
        value: value.clone(),
        place: place.clone(),
    });
}

/// Files add up; one that is named twice counts once.
fn add(files: &mut Vec<Said<String>>, value: &str, place: &Place) {
    if files.iter().all(|said| said.value != value) {
        files.push(Said {
            value: value.to_owned(),
            place: place.clone(),
        });
    }
}
