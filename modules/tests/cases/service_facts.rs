//! `service_facts`.

use evenkeel_engine::fake::FakeHost;
use evenkeel_modules::service_facts::Services;

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &["service_facts: {}"];

fn host() -> FakeHost {
    let units = "cron.service loaded active running Regular background program\n\
                 gone.service not-found inactive dead gone.service\n\
                 bad.service loaded failed failed It is bad\n\
                 once.service loaded active exited Once\n";
    let files = "cron.service enabled enabled\nbad.service enabled enabled\nonce.service static -\n\
                 getty@.service disabled enabled\nnew.service disabled enabled\n";
    let names = "cron.service\nbad.service\nonce.service\nnew.service\n";
    let states = "active\nfailed\nactive\ninactive\n";
    FakeHost::new().always(Services, [units, files, names, states].map(str::to_owned))
}

pub(crate) fn cases() -> Vec<Expect> {
    let service = |(unit, state, status): (&str, &str, &str)| {
        let name = format!("{unit}.service");
        format!(
            r#""{name}":{{"name":"{name}","state":"{state}","status":"{status}","source":"systemd"}}"#
        )
    };
    let services = [
        ("cron", "running", "enabled"),
        ("gone", "stopped", "not-found"),
        ("bad", "stopped", "failed"),
        ("once", "stopped", "static"),
        ("getty@", "unknown", "disabled"),
        ("new", "inactive", "disabled"),
    ];
    let services = services.map(service).join(",");
    vec![
        case(
            "SVF-01 services that are loaded, and those of files",
            "service_facts:",
        )
        .on(host())
        .gives("ansible_facts.services", &format!("{{{services}}}")),
    ]
}
