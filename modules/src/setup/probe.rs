//! The probe of facts: it prints what files and programs say; what that means is read elsewhere.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing};

use super::section::{Section, Texts};

/// The texts from which one section of facts is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts {
    /// Which.
    pub section: Section,
    /// Of local facts: their folder.
    pub folder: Option<String>,
}

impl Facts {
    fn folder(&self) -> &str {
        self.folder.as_deref().unwrap_or_default()
    }
}

impl Probe for Facts {
    const KIND: &'static str = "facts";
    const SCRIPT: &'static str = include_str!("facts.sh");
    type Answer = BTreeMap<String, String>;

    fn operands(&self) -> Vec<Vec<u8>> {
        let words = [self.section.name(), self.folder()];
        words.map(|word| word.as_bytes().to_vec()).into()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found: BTreeMap<(String, String), Texts> = BTreeMap::new();
        let text = String::from_utf8_lossy(output);
        let mut words = text.split('\0');
        while let (Some(section), Some(folder), Some(key), Some(value)) =
            (words.next(), words.next(), words.next(), words.next())
        {
            let texts = found
                .entry((section.to_owned(), folder.to_owned()))
                .or_default();
            texts.insert(key.to_owned(), value.to_owned());
        }
        let answer = |probe: &&Self| {
            let key = (probe.section.name().to_owned(), probe.folder().to_owned());
            // Each section says at least that it was there.
            let texts = found.get(&key).cloned();
            texts.ok_or_else(|| NotYet::new(format!("the facts of `{}`", probe.section.name())))
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        None
    }

    fn reads(&self) -> Vec<Thing> {
        // Whatever may write everything makes them stale; what writes one path only where that is read.
        let paths: &[&str] = match self.section {
            Section::Distribution => &[
                "/etc/os-release",
                "/usr/lib/os-release",
                "/etc/redhat-release",
                "/etc/debian_version",
                "/etc/lsb-release",
            ],
            Section::Lsb => &["/etc/lsb-release"],
            Section::Dns => &["/etc/resolv.conf"],
            Section::Platform => &["/etc/machine-id"],
            Section::Selinux => &["/etc/selinux/config"],
            Section::SshPubKeys => &[
                "/etc/ssh/ssh_host_rsa_key.pub",
                "/etc/ssh/ssh_host_ecdsa_key.pub",
                "/etc/ssh/ssh_host_ed25519_key.pub",
            ],
            _ => &[],
        };
        let paths = paths.iter().map(|path| Thing::Path((*path).to_owned()));
        let folder = self.folder.clone().map(Thing::Tree);
        let facts = Thing::Object("facts of the host".to_owned());
        let named = matches!(self.section, Section::Platform | Section::Fqdn);
        let name = named.then(crate::hostname::thing);
        paths.chain(folder).chain(name).chain([facts]).collect()
    }
}
