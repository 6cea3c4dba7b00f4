//! `package_facts`.

use evenkeel_engine::fake::FakeHost;
use evenkeel_modules::package_facts::Installed;

use crate::support::{Expect, case};

/// Together, these set every argument there is.
pub(crate) const SAMPLES: &[&str] = &["package_facts: {manager: [apt], strategy: all}"];

/// A host with these lists.
fn host(apt: Option<&str>, rpm: Option<&str>) -> FakeHost {
    let text = |text: Option<&str>| text.map(str::to_owned);
    FakeHost::new()
        .always(Installed("apt".to_owned()), text(apt))
        .always(Installed("rpm".to_owned()), text(rpm))
}

const APT: &str =
    "libc6\t2:2.36-9\tamd64\tlibs\t\nlibc6\t2:2.36-9\ti386\tlibs\t\nzlib\t1\tall\t\tDebian\n";
const RPM: &str =
    "bash\t5.1\t9.el9\t(none)\tx86_64\ngpg-pubkey\t1\t2\t(none)\t(none)\nperl\t5\t1\t4\tnoarch\n";

pub(crate) fn cases() -> Vec<Expect> {
    vec![
        case("PKF-01 packages of dpkg", "package_facts:")
            .on(host(Some(APT), Some(RPM)))
            .gives(
                "ansible_facts.packages.zlib",
                r#"[{"name":"zlib","version":"1","arch":"all","category":"","origin":"Debian","source":"apt"}]"#,
            )
            .gives("ansible_facts.packages.bash", "nothing"),
        case("PKF-02 packages of rpm", "package_facts: {manager: [dnf]}")
            .on(host(Some(APT), Some(RPM)))
            .gives(
                "ansible_facts.packages.perl",
                r#"[{"name":"perl","version":"5","release":"1","epoch":4,"arch":"noarch","source":"rpm"}]"#,
            )
            .gives(
                "ansible_facts.packages.gpg-pubkey",
                r#"[{"name":"gpg-pubkey","version":"1","release":"2","epoch":null,"arch":null,"source":"rpm"}]"#,
            ),
        case("PKF-02 what the host has", "package_facts:")
            .on(host(None, Some("bash\t5.1\t9\t(none)\tx86_64\n")))
            .gives(
                "ansible_facts.packages",
                r#"{"bash":[{"name":"bash","version":"5.1","release":"9","epoch":null,"arch":"x86_64","source":"rpm"}]}"#,
            ),
        case("PKF-03 both", "package_facts: {strategy: all}")
            .on(host(Some("a\t1\tall\t\t\n"), Some("a\t2\t3\t4\tnoarch\n")))
            .gives(
                "ansible_facts.packages.a",
                r#"[{"name":"a","version":"1","arch":"all","category":"","origin":"","source":"apt"},{"name":"a","version":"2","release":"3","epoch":4,"arch":"noarch","source":"rpm"}]"#,
            ),
        case("PKF-04 none of them", "package_facts:").on(host(None, None)).not_yet("a manager of packages"),
        case("PKF-04 one that is not known", "package_facts: {manager: pacman}").refused("none whose packages"),
    ]
}
