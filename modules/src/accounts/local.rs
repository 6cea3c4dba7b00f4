//! Groups of this host alone.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing};

/// A group by name in `/etc/group`, whatever a directory knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalGroup(pub String);

impl Probe for LocalGroup {
    const KIND: &'static str = "local_group";
    const SCRIPT: &'static str = r#"
while IFS=: read -r ek_n ek_x ek_i ek_m; do
  for ek_g in "$@"; do
    [ "$ek_g" = "$ek_n" ] && printf '%s:%s\n' "$ek_n" "$ek_i"
  done
done </etc/group
return 0"#;
    /// Its number.
    type Answer = Option<u32>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let mut found = BTreeMap::new();
        for line in text.lines() {
            let pair = line
                .split_once(':')
                .and_then(|(name, gid)| Some((name, gid.parse().ok()?)));
            let (name, gid): (&str, u32) = pair.ok_or_else(|| format!("`{line}`"))?;
            found.insert(name.to_owned(), gid);
        }
        Ok(batch
            .iter()
            .map(|group| Ok(found.get(&group.0).copied()))
            .collect())
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = answer.map(|gid| format!("{}:{gid}\n", self.0));
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Group(self.0.clone())]
    }
}
