//! What is mounted.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing};

/// Whether something is mounted at a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mounted(pub String);

/// What is mounted at a path, if anything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Live(pub String);

/// A mount, as the kernel tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct What {
    /// Which directory of the file system is there: `/`, or what is bound.
    pub root: String,
    /// Kind of file system.
    pub fstype: String,
    /// The device, or whatever stands for it.
    pub source: String,
    /// Options of the mount and of the file system.
    pub options: Vec<String>,
}

/// What those tasks change that mount.
pub(super) fn thing() -> Thing {
    Thing::Object("mounts".to_owned())
}

/// Leaves the path as the kernel writes it in `ek_e`.
macro_rules! escaped {
    ($text:literal) => {
        concat!(
            r#"
ek_escape() {
  ek_e=$(readlink -f -- "$1" 2>/dev/null) || ek_e=$1
  case $ek_e in *[\\\ ]* | *'	'*)
    ek_e=$(printf '%s' "$ek_e" | sed 's/\\/\\134/g; s/ /\\040/g; s/	/\\011/g') ;;
  esac
}
"#,
            $text
        )
    };
}

impl Probe for Mounted {
    const KIND: &'static str = "mounted";
    const SCRIPT: &'static str = escaped!(
        r#"
for ek_p in "$@"; do
  ek_escape "$ek_p"
  ek_f=0
  while read -r ek_1 ek_2 ek_3 ek_4 ek_5 ek_6; do
    [ "$ek_5" != "$ek_e" ] || ek_f=1
  done </proc/self/mountinfo
  printf '%s\0%s\0' "$ek_p" "$ek_f"
done"#
    );
    type Answer = bool;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<bool, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let found: BTreeMap<&str, bool> = fields
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1] == "1"))
            .collect();
        let none = |path: &str| NotYet(format!("whether something is mounted at `{path}`"));
        let answer = |probe: &&Self| found.get(&*probe.0).copied().ok_or_else(|| none(&probe.0));
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, answer: &bool) -> Option<Vec<u8>> {
        Some(format!("{}\0{}\0", self.0, u8::from(*answer)).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![thing()]
    }
}

impl Probe for Live {
    const KIND: &'static str = "mount";
    const SCRIPT: &'static str = escaped!(
        r#"
for ek_p in "$@"; do
  ek_escape "$ek_p"
  ek_l=
  while read -r ek_1 ek_2 ek_3 ek_4 ek_5 ek_6 ek_7; do
    [ "$ek_5" != "$ek_e" ] || ek_l="$ek_4 $ek_6 ${ek_7#*- }"
  done </proc/self/mountinfo
  printf '%s\0%s\0' "$ek_p" "$ek_l"
done"#
    );
    type Answer = Option<What>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let found: BTreeMap<&str, &str> = fields
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1]))
            .collect();
        let answer = |probe: &&Self| {
            let none = || NotYet(format!("what is mounted at `{}`", probe.0));
            found
                .get(&*probe.0)
                .map(|line| What::parse(line))
                .ok_or_else(none)
        };
        Ok(batch.iter().map(answer).collect())
    }

    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        None
    }

    fn reads(&self) -> Vec<Thing> {
        vec![thing()]
    }
}

impl What {
    /// `ROOT OPTIONS TYPE SOURCE OPTIONS`
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(' ');
        let (root, own) = (fields.next()?, fields.next()?);
        let (fstype, source, its) = (fields.next()?, fields.next()?, fields.next()?);
        let options = own.split(',').chain(its.split(','));
        Some(Self {
            root: root.to_owned(),
            fstype: fstype.to_owned(),
            source: source.to_owned(),
            options: options.map(str::to_owned).collect(),
        })
    }
}
