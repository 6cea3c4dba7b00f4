//! `file`.

use evenkeel_engine::fake::FakeHost;

use crate::support::{Expect, case};

fn host() -> FakeHost {
    FakeHost::new().user("app", 1000).dir("/srv")
}

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case(
            "FIL-01 each missing level is made and gets the mode",
            "file: {path: /srv/a/b, state: directory, mode: '0750', owner: app}",
        )
        .on(host())
        .changes([
            "directory: null -> \"/srv/a\"",
            "directory: null -> \"/srv/a/b\"",
        ])
        .then("/srv", "directory 0755 root:root")
        .then("/srv/a", "directory 0750 app:root")
        .then("/srv/a/b", "directory 0750 app:root"),
    ]
}
