//! `with_inventory_hostnames`: hosts that a pattern selects.

use evenkeel_engine::Value;

use super::{Around, Trouble};
use crate::inventory::{Group, Inventory, select};

/// The hosts; none where nothing fits, as in Ansible.
pub(super) fn of(pattern: &str, around: &Around<'_>) -> Result<Vec<Value>, Trouble> {
    let mut inventory = Inventory::default();
    for (name, hosts) in around.groups {
        for host in hosts {
            inventory.hosts.entry(host.clone()).or_default();
        }
        let group = Group {
            hosts: hosts.iter().cloned().collect(),
            ..Group::default()
        };
        inventory.groups.insert(name.clone(), group);
    }
    let found = select(&inventory, pattern).map_err(|message| {
        Trouble::wrong(
            message,
            "a pattern as `hosts:` of a play has it: `web:!old`",
        )
    })?;
    Ok(found
        .hosts
        .iter()
        .map(|host| host.as_str().into())
        .collect())
}
