//! Probes of users and groups.

use std::collections::BTreeMap;

use super::{by_name, records};
use crate::{late::NotYet, probe::Probe, thing::Thing};

/// A user by name or number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct User(pub String);

/// What [`User`] and [`Whoami`] answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Name.
    pub name: String,
    /// Number.
    pub uid: u32,
    /// Name of the primary group.
    pub group: String,
    /// Its number.
    pub gid: u32,
}

impl Probe for User {
    const KIND: &'static str = "user";
    const SCRIPT: &'static str = r#"
for ek_u in "$@"; do
  # Other groups than the primary one are no part of the answer.
  ek_id=$(id -- "$ek_u" 2>/dev/null) && printf '%s|%s\0' "$ek_u" "${ek_id%% groups=*}"
done"#;
    type Answer = Option<Account>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in records(output) {
            let text = String::from_utf8_lossy(record);
            let (name, id) = text.split_once('|').ok_or_else(|| text.to_string())?;
            let account = parse_id(id).ok_or_else(|| format!("`{id}`"))?;
            found.insert(name.as_bytes().to_vec(), Ok(Some(account)));
        }
        Ok(by_name(
            batch.iter().map(|user| user.0.as_str()),
            &found,
            &None,
        ))
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let Some(Account {
            name,
            uid,
            group,
            gid,
        }) = answer
        else {
            return Some(Vec::new());
        };
        let word = |key: &str, number: u32, name: &str| match name {
            // A number without a name stands alone.
            name if name == number.to_string() => format!("{key}={number}"),
            name => format!("{key}={number}({name})"),
        };
        let (user, group) = (word("uid", *uid, name), word("gid", *gid, group));
        Some(format!("{}|{user} {group}\0", self.0).into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::User(self.0.clone())]
    }
}

/// Reads `uid=0(root) gid=0(root) groups=…`; a number without a name is its own name.
fn parse_id(text: &str) -> Option<Account> {
    let part = |key: &str| {
        let word = text
            .split_whitespace()
            .find_map(|word| word.strip_prefix(key))?;
        let (number, name) = word.split_once('(').unwrap_or((word, word));
        Some((number.parse().ok()?, name.trim_end_matches(')').to_owned()))
    };
    let ((uid, name), (gid, group)) = (part("uid=")?, part("gid=")?);
    Some(Account {
        name,
        uid,
        group,
        gid,
    })
}

/// A group by name or number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group(pub String);

impl Probe for Group {
    const KIND: &'static str = "group";
    const SCRIPT: &'static str = r#"
for ek_g in "$@"; do
  # Nobody's name, but it would be an option.
  case $ek_g in -*) continue ;; esac
  if command -v getent >/dev/null 2>&1; then
    ek_l=$(getent group "$ek_g") || continue
    ek_r=${ek_l#*:*:}; printf '%s|%s:%s\0' "$ek_g" "${ek_l%%:*}" "${ek_r%%:*}"
  else
    while IFS= read -r ek_l; do
      ek_r=${ek_l#*:*:}
      if [ "${ek_l%%:*}" = "$ek_g" ] || [ "${ek_r%%:*}" = "$ek_g" ]; then
        printf '%s|%s:%s\0' "$ek_g" "${ek_l%%:*}" "${ek_r%%:*}"; break
      fi
    done </etc/group
  fi
done"#;
    /// Name and number.
    type Answer = Option<(String, u32)>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.0.clone().into_bytes()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let mut found = BTreeMap::new();
        for record in records(output) {
            let text = String::from_utf8_lossy(record);
            let parsed = text.split_once('|').and_then(|(asked, line)| {
                let (name, number) = line.split_once(':')?;
                let group = (name.to_owned(), number.parse().ok()?);
                Some((asked.as_bytes().to_vec(), group))
            });
            let (asked, group) = parsed.ok_or_else(|| format!("`{text}`"))?;
            found.insert(asked, Ok(Some(group)));
        }
        Ok(by_name(
            batch.iter().map(|group| group.0.as_str()),
            &found,
            &None,
        ))
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        let line = answer
            .as_ref()
            .map(|(name, number)| format!("{}|{name}:{number}\0", self.0));
        Some(line.unwrap_or_default().into_bytes())
    }

    fn reads(&self) -> Vec<Thing> {
        vec![Thing::Group(self.0.clone())]
    }
}

/// Who the identity is on the host, and where its home is. The engine asks it for every identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whoami;

/// What [`Whoami`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    /// The user.
    pub account: Account,
    /// Home directory.
    pub home: String,
    /// Where relative paths and programs start: the home, unless the host is reached otherwise.
    pub dir: String,
}

impl Probe for Whoami {
    const KIND: &'static str = "whoami";
    const SCRIPT: &'static str = r#"
ek_d=${ek_work:-$HOME}
[ -x "$ek_d" ] || ek_d=$HOME
printf '%s\n%s\n%s\n' "$(id)" "$HOME" "$ek_d""#;
    type Answer = Me;

    fn operands(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        let text = String::from_utf8_lossy(output);
        let (id, home) = text.split_once('\n').ok_or("`id` printed nothing")?;
        let account = parse_id(id).ok_or_else(|| format!("`{id}`"))?;
        let (home, dir) = home.split_once('\n').unwrap_or((home, ""));
        let dir = Some(dir.trim_end_matches('\n')).filter(|dir| !dir.is_empty());
        let me = Me {
            account,
            home: home.to_owned(),
            dir: dir.unwrap_or(home).to_owned(),
        };
        Ok(batch.iter().map(|_| Ok(me.clone())).collect())
    }

    fn expected(&self, _: &Self::Answer) -> Option<Vec<u8>> {
        None
    }

    fn reads(&self) -> Vec<Thing> {
        Vec::new()
    }
}
