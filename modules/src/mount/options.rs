//! Options of a mount: which of them the kernel tells, and whether it has them.

use super::probe::What;

/// What switches an option of the mount itself on, and off again.
const FLAGS: [(&str, &str); 6] = [
    ("ro", "rw"),
    ("nosuid", "suid"),
    ("nodev", "dev"),
    ("noexec", "exec"),
    ("noatime", "atime"),
    ("nodiratime", "diratime"),
];

/// Whether a bind is asked for.
pub(super) fn is_bind(opts: &str) -> bool {
    opts.split(',').any(|opt| matches!(opt, "bind" | "rbind"))
}

/// The options that what is mounted does not have.
pub(super) fn missing(opts: &str, live: &What) -> Vec<String> {
    let opts: Vec<&str> = opts.split(',').collect();
    let has = |flag: &str| live.options.iter().any(|option| option == flag);
    let mut missing = Vec::new();
    for (on, off) in FLAGS {
        // The last one counts.
        let wanted = opts.iter().rev().find(|opt| **opt == on || **opt == off);
        // A bind has options of its own, which need not be those of the file system.
        if wanted.is_some_and(|opt| (*opt == on) != has(on)) {
            missing.push((*wanted.unwrap_or(&on)).to_owned());
        }
    }
    if live.fstype == "tmpfs" && !is_bind(&opts.join(",")) {
        // Its mode and owner are those of its first mount, whatever a remount says.
        for key in ["size", "nr_inodes"] {
            let value = |option: &str| {
                option
                    .strip_prefix(key)?
                    .strip_prefix('=')
                    .map(str::to_owned)
            };
            let Some(wanted) = opts.iter().rev().find_map(|opt| value(opt)) else {
                continue;
            };
            let now = live.options.iter().find_map(|option| value(option));
            // What cannot be compared (a part of the memory) is not.
            let wanted_number = number(key, &wanted);
            let now = now.and_then(|now| number(key, &now));
            if wanted_number.is_some() && wanted_number != now {
                missing.push(format!("{key}={wanted}"));
            }
        }
    }
    missing
}

/// A value as a number; sizes in whole pages, as the kernel keeps them.
fn number(key: &str, text: &str) -> Option<u64> {
    let (digits, factor) = match text.as_bytes().last()?.to_ascii_lowercase() {
        b'k' => (&text[..text.len() - 1], 1 << 10),
        b'm' => (&text[..text.len() - 1], 1 << 20),
        b'g' => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    let number = digits.parse::<u64>().ok()?.checked_mul(factor)?;
    Some(if key == "size" {
        number.div_ceil(4096)
    } else {
        number
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells_is_compared() {
        let live = |fstype: &str, options: &str| What {
            fstype: fstype.to_owned(),
            options: options.split(',').map(str::to_owned).collect(),
            ..What::default()
        };
        let tmpfs = live("tmpfs", "rw,nosuid,relatime,rw,size=65536k,mode=755");
        for (opts, lacks) in [
            ("defaults", &[][..]),
            ("size=64m,mode=0755,nosuid", &[]),
            ("size=67108864", &[]),
            ("size=50%,nofail,x-systemd.automount", &[]),
            ("uid=5,mode=1777", &[]),
            ("ro", &["ro"]),
            ("ro,rw", &[]),
            ("suid,noexec", &["suid", "noexec"]),
            ("size=32m,nr_inodes=1k", &["size=32m", "nr_inodes=1k"]),
            ("bind,size=1m", &[]),
        ] {
            assert_eq!(missing(opts, &tmpfs), lacks, "{opts}");
        }
        assert!(missing("size=1m", &live("ext4", "rw")).is_empty());
    }
}
