//! What the system of alternatives keeps about one name.

use std::collections::BTreeMap;

use evenkeel_engine::{
    Thing,
    probes::{Answered, Ask},
};

/// The folders in which the two programs of that name keep what they know.
const ADMIN: [&str; 2] = ["/var/lib/dpkg/alternatives", "/var/lib/alternatives"];

/// The folder of the links in between.
const LINKS: &str = "/etc/alternatives";

/// Reads what is kept about a name, the same for both. No program prints all of it: that of Red Hat's systems does not
/// say where the link is.
const SHOW: &str = r#"
PATH=$PATH:/usr/sbin:/sbin; command -v update-alternatives >/dev/null 2>&1 || exit 127
for d in /var/lib/dpkg/alternatives /var/lib/alternatives; do
  [ -f "$d/$1" ] || continue
  {
    printf 'now\t%s\n' "$(readlink "/etc/alternatives/$1")"
    awk '
      NR == 1 { print "mode\t" $0; next }
      NR == 2 { print "link\t" $0; next }
      !choices && $0 == "" { choices = 1; next }
      !choices { n++; name[n] = $0; getline at; link[n] = at; next }
      $0 == "" { exit }
      {
        path = $0; getline weight; sub(/^@[^@]*@/, "", weight); sub(/ .*/, "", weight)
        print "choice\t" path "\t" weight
        for (i = 1; i <= n; i++) {
          getline to
          if (to != "") print "with\t" path "\t" name[i] "\t" link[i] "\t" to
        }
      }' "$d/$1"
  } | LC_ALL=C sort
  exit 0
done"#;

/// One path that the name may stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) priority: i64,
    /// Names that go with it: where their link is, and where it leads.
    pub(super) with: BTreeMap<String, (String, String)>,
}

/// What is known of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Whether somebody has chosen, and not the priorities.
    pub(super) manual: bool,
    /// Where the link is that people use.
    pub(super) link: String,
    /// What is chosen now.
    pub(super) now: String,
    pub(super) choices: BTreeMap<String, Choice>,
}

/// What is kept about a name.
pub fn kept(name: &str) -> Ask {
    Ask::new(["sh", "-c", SHOW, "alternatives", name]).reading(things())
}

/// All that is read and written of the system.
pub(super) fn things() -> [Thing; 3] {
    [ADMIN[0], ADMIN[1], LINKS].map(|folder| Thing::Tree(folder.to_owned()))
}

impl Known {
    /// From what [`kept`] answers.
    pub(super) fn read(text: &str) -> Self {
        let mut known = Self::default();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                ["mode", mode] => known.manual = mode == "manual",
                ["link", link] => link.clone_into(&mut known.link),
                ["now", path] => path.clone_into(&mut known.now),
                ["choice", path, priority] => {
                    let choice = known.choices.entry(path.to_owned()).or_default();
                    choice.priority = priority.parse().unwrap_or_default();
                }
                ["with", path, name, link, to] => {
                    let choice = known.choices.entry(path.to_owned()).or_default();
                    let at = (link.to_owned(), to.to_owned());
                    choice.with.insert(name.to_owned(), at);
                }
                _ => {}
            }
        }
        known
    }

    /// What [`kept`] would answer.
    pub(super) fn answer(&self) -> Answered {
        let mut lines = Vec::new();
        if !self.choices.is_empty() {
            let mode = if self.manual { "manual" } else { "auto" };
            lines.push(format!("mode\t{mode}"));
            lines.push(format!("link\t{}", self.link));
            lines.push(format!("now\t{}", self.now));
        }
        for (path, choice) in &self.choices {
            lines.push(format!("choice\t{path}\t{}", choice.priority));
            for (name, (link, to)) in &choice.with {
                lines.push(format!("with\t{path}\t{name}\t{link}\t{to}"));
            }
        }
        lines.sort_unstable();
        Answered {
            status: 0,
            stdout: lines.join("\n"),
        }
    }

    /// What the priorities choose; nothing if several are the highest.
    fn best(&self) -> Option<&String> {
        let most = self.choices.values().map(|choice| choice.priority).max()?;
        let mut best = self.choices.iter();
        let mut best = best.by_ref().filter(|(_, choice)| choice.priority == most);
        match (best.next(), best.next()) {
            (Some((path, _)), None) => Some(path),
            _ => None,
        }
    }

    /// With a path among the choices.
    pub(super) fn with(mut self, path: &str, choice: Choice) -> Option<Self> {
        // A link that moves does so for all.
        for (name, (link, _)) in &choice.with {
            for other in self.choices.values_mut() {
                if let Some((at, _)) = other.with.get_mut(name) {
                    link.clone_into(at);
                }
            }
        }
        self.choices.insert(path.to_owned(), choice);
        self.settled()
    }

    /// Without it.
    pub(super) fn without(mut self, path: &str) -> Option<Self> {
        self.choices.remove(path);
        self.manual &= self.now != path;
        self.settled()
    }

    /// With it chosen, by somebody.
    pub(super) fn set(mut self, path: &str) -> Self {
        self.manual = true;
        path.clone_into(&mut self.now);
        self
    }

    /// As the priorities choose.
    pub(super) fn auto(mut self) -> Option<Self> {
        self.manual = false;
        self.settled()
    }

    /// As the priorities choose, unless somebody has; nothing if that cannot be told.
    fn settled(mut self) -> Option<Self> {
        if !self.manual && !self.choices.is_empty() {
            self.now = self.best()?.clone();
        }
        Some(self)
    }
}
