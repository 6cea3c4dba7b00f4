//! What apt says that it would do, as data.

use evenkeel_engine::{Done, Refusal};

use super::{
    explain::{told, why},
    resolve::Said,
};

/// What would be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Would {
    /// This; nothing, if there are no rows.
    This(Vec<Row>),
    /// It cannot be known now: apt did not end, or the lists do not say yet.
    Unknown,
    /// It cannot be done.
    Cannot(Refusal),
}

/// A line of what is simulated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) what: What,
    pub(super) name: String,
    pub(super) arch: Option<String>,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// What becomes of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Installed,
    Removed,
    Purged,
    /// It is there, and is set up.
    Configured,
    /// Its archive is deleted.
    Deleted,
}

impl Said {
    pub(super) fn would(&self, verb: &str, stale: bool) -> Would {
        match self.status {
            0 => Would::This(rows(&self.text)),
            124 => Would::Unknown,
            // What newer lists say is not known.
            _ if stale && self.text.contains("\nE: Unable to ") => Would::Unknown,
            _ if stale && self.text.contains("has no installation candidate") => Would::Unknown,
            _ => Would::Cannot(why(&self.text).unwrap_or_else(|| {
                let said = told(&self.text);
                Refusal::new(format!("apt cannot {verb} it: {said}"))
            })),
        }
    }
}

/// `Inst apple:i386 [1.0] (1.1 Shop:1/stable [i386]) []`
fn row(line: &str) -> Option<Row> {
    let (what, rest) = line.split_once(' ')?;
    let what = match what {
        "Inst" => What::Installed,
        "Remv" => What::Removed,
        "Purg" => What::Purged,
        "Conf" => What::Configured,
        "Del" => What::Deleted,
        _ => return None,
    };
    let (name, rest) = rest.split_once(' ')?;
    let (name, arch) = match name.split_once(':') {
        Some((name, arch)) => (name, Some(arch.to_owned())),
        None => (name, None),
    };
    let word = |text: &str, open: char, ends: [char; 2]| -> Option<String> {
        let text = text.trim_start().strip_prefix(open)?;
        let end = text.find(ends)?;
        Some(text[..end].to_owned())
    };
    let before = word(rest, '[', [']', ' ']);
    let after = rest
        .find('(')
        .and_then(|at| word(&rest[at..], '(', [' ', ')']));
    let of = rest
        .rsplit_once(" [")
        .and_then(|(_, text)| text.split_once("])"));
    let before = match what {
        What::Deleted => rest.split(' ').next().map(str::to_owned),
        _ => before,
    };
    Some(Row {
        what,
        name: name.to_owned(),
        arch: arch.or_else(|| of.map(|(arch, _)| arch.to_owned())),
        before,
        after,
    })
}

/// What becomes of each package. That one is set up is only of interest where it was there before.
fn rows(text: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for row in text.lines().filter_map(row) {
        let known = rows
            .iter()
            .any(|other| other.name == row.name && other.arch == row.arch);
        if row.what != What::Configured || !known {
            rows.push(row);
        }
    }
    rows
}

/// What apt and dpkg say that they have done.
pub(super) fn results(done: &[Done]) -> Vec<String> {
    const HEADS: [(&str, &str); 3] = [
        ("Setting up ", "Installed"),
        ("Removing ", "Removed"),
        ("Purging configuration files for ", "Purged"),
    ];
    let mut results = Vec::new();
    for done in done {
        let text = String::from_utf8_lossy(&done.stdout);
        for line in text.lines() {
            let found = HEADS
                .iter()
                .find_map(|(head, what)| Some((line.strip_prefix(head)?, what)));
            if let Some((rest, what)) = found
                && let Some((package, _)) = rest.split_once(" ...")
            {
                results.push(format!("{what}: {package}"));
            }
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIMULATED: &str = "\
Remv pear [1.0]
Inst apple-core (1.0 Shop:1/stable [all])
Inst apple:i386 [1.0] (2:1.1-1 Shop:1/stable, Other:2/stable [i386]) []
Conf apple-core (1.0 Shop:1/stable [all])
Conf half (1.0 Shop:1/stable [all])
Purg old [1.0]
Del berry 1.0 [10 B]
";

    #[test]
    fn what_is_simulated_is_read() {
        let Would::This(rows) = Said::new(0, SIMULATED).would("install", false) else {
            panic!()
        };
        let told: Vec<String> = rows
            .iter()
            .map(
                |Row {
                     what,
                     name,
                     arch,
                     before,
                     after,
                 }| {
                    let or = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
                    format!("{what:?} {name} {} {} {}", or(arch), or(before), or(after))
                },
            )
            .collect();
        assert_eq!(
            told,
            [
                "Removed pear - 1.0 -",
                "Installed apple-core all - 1.0",
                "Installed apple i386 1.0 2:1.1-1",
                "Configured half all - 1.0",
                "Purged old - 1.0 -",
                "Deleted berry - 1.0 -",
            ]
        );
        assert_eq!(
            Said::nothing().would("install", false),
            Would::This(Vec::new())
        );
    }

    #[test]
    fn what_newer_lists_say_is_not_known() {
        let said = Said::new(
            100,
            "Reading package lists...\nE: Unable to locate package new\n",
        );
        assert_eq!(said.would("install", true), Would::Unknown);
        assert!(matches!(said.would("install", false), Would::Cannot(_)));
    }

    #[test]
    fn what_was_done_is_read() {
        let done = Done {
            stdout: b"Unpacking a (1) ...\nSetting up a (1) ...\nRemoving b (2) ...\nPurging configuration files for b (2) ...\n".to_vec(),
            ..Done::default()
        };
        assert_eq!(
            results(&[done]),
            ["Installed: a (1)", "Removed: b (2)", "Purged: b (2)"]
        );
    }
}
