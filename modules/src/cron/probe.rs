//! What a user's crontab holds.

use std::collections::BTreeMap;

use evenkeel_engine::{NotYet, Probe, Thing};

/// The crontab of a user, or of who acts: its text, if there is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crontab(pub Option<String>);

impl Crontab {
    /// What tasks about it touch.
    pub(super) fn thing(&self) -> Thing {
        Thing::Object(format!("crontab {}", self.0.as_deref().unwrap_or_default()))
    }

    fn user(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl Probe for Crontab {
    const KIND: &'static str = "crontab";
    const SCRIPT: &'static str = r#"
command -v crontab >/dev/null 2>&1 || { printf 'missing\0'; return 0; }
for ek_u in "$@"; do
  ek_o=$(LC_ALL=C crontab ${ek_u:+-u "$ek_u"} -l 2>&1 </dev/null; printf '|%s' "$?")
  printf '=%s\0%s\0%s\0' "$ek_u" "${ek_o##*|}" "${ek_o%|*}"
done"#;
    type Answer = Option<Vec<u8>>;

    fn operands(&self) -> Vec<Vec<u8>> {
        vec![self.user().as_bytes().to_vec()]
    }

    fn parse(batch: &[&Self], output: &[u8]) -> Result<Vec<Result<Self::Answer, NotYet>>, String> {
        if output == b"missing\0" {
            let missing = NotYet::new("the program `crontab` (of the package `cron` or `cronie`)");
            return Ok(batch.iter().map(|_| Err(missing.clone())).collect());
        }
        let mut found: BTreeMap<Vec<u8>, Result<Self::Answer, NotYet>> = BTreeMap::new();
        let mut parts = output.split(|byte| *byte == 0);
        while let (Some(name), Some(status), Some(text)) =
            (parts.next(), parts.next(), parts.next())
        {
            let name = name.strip_prefix(b"=").ok_or("a name is missing")?;
            let answer = if status == b"0" {
                Ok(Some(text.to_vec()))
            } else {
                let said = String::from_utf8_lossy(text).trim().to_owned();
                if said.contains("unknown") && !name.is_empty() {
                    Err(NotYet(format!(
                        "the user `{}`",
                        String::from_utf8_lossy(name)
                    )))
                } else if said.contains("no crontab for") || said.contains("No such file") {
                    Ok(None)
                } else {
                    Err(NotYet(format!(
                        "what the crontab holds: `crontab -l` says: {said}"
                    )))
                }
            };
            found.insert(name.to_vec(), answer);
        }
        let answer = |probe: &&Self| found.get(probe.user().as_bytes()).cloned();
        batch
            .iter()
            .map(|probe| answer(probe).ok_or_else(|| "an answer is missing".to_owned()))
            .collect()
    }

    fn expected(&self, answer: &Self::Answer) -> Option<Vec<u8>> {
        // What is said of one that is not there is not always the same.
        let text = answer.as_ref()?;
        let front = format!("={}\x000\0", self.user());
        Some([front.as_bytes(), text, b"\0"].concat())
    }

    fn reads(&self) -> Vec<Thing> {
        // Who makes the user comes before.
        let user = self.0.iter().map(|user| Thing::User(user.clone()));
        std::iter::once(self.thing()).chain(user).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let (mine, other) = (Crontab(None), Crontab(Some("app".into())));
        let output = b"=\x000\0* * * * * x|y\n\0=app\x001\0no crontab for app\n\0";
        let read = Crontab::parse(&[&mine, &other], output).unwrap();
        assert_eq!(read, [Ok(Some(b"* * * * * x|y\n".to_vec())), Ok(None)]);
        let unknown = b"=app\x001\0crontab: user `app' unknown\n\0";
        let read = Crontab::parse(&[&other], unknown).unwrap();
        assert_eq!(read, [Err(NotYet::new("the user `app`"))]);
        let odd = b"=app\x001\0crontab: the spool is gone\n\0";
        let read = Crontab::parse(&[&other], odd).unwrap();
        assert!(
            read[0]
                .as_ref()
                .is_err_and(|why| why.0.contains("the spool is gone"))
        );
        let text = Some(b"a\n".to_vec());
        let said = mine.expected(&text).unwrap();
        assert_eq!(Crontab::parse(&[&mine], &said).unwrap(), [Ok(text)]);
        assert!(Crontab::parse(&[&mine], b"missing\0").unwrap()[0].is_err());
    }
}
