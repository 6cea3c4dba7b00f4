//! Rules come into the text, change there and go; every other line stays as it is.
//!
//! The first rule that fits a connection is the one that counts. So a new rule comes before the first
//! one that would hide it, and else last; one that is there but hidden moves there.

use evenkeel_engine::Refusal;

use super::{
    line::{Line, Rule, What},
    wish::{State, Wish},
};

/// A rule before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    pub(super) secret: bool,
}

/// What becomes of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Edited {
    pub(super) text: Vec<u8>,
    pub(super) told: Vec<Told>,
    pub(super) warnings: Vec<String>,
}

/// Brings the rules into the text.
pub(super) fn edit(before: &[u8], wishes: &[Wish], overwrite: bool) -> Result<Edited, Refusal> {
    let lines = Line::all(before);
    if overwrite {
        return Ok(instead(&lines, wishes));
    }
    let wrong = lines.iter().find_map(|line| match &line.what {
        What::Wrong(why) => Some((line, why)),
        _ => None,
    });
    if let Some((line, why)) = wrong.filter(|_| !wishes.is_empty()) {
        let what = format!("line {} is no rule: {why}", line.number);
        return Err(Refusal::new(what).help(
            "the server takes none of the rules while one is wrong: correct the line, or remove it",
        ));
    }
    let mut file = File {
        lines,
        ..File::default()
    };
    for wish in wishes {
        match wish.state {
            State::Present => file.place(wish),
            State::Absent => file.remove(wish),
        }
    }
    Ok(file.edited())
}

/// The rules, and no others; comments and blank lines stay.
fn instead(lines: &[Line], wishes: &[Wish]) -> Edited {
    let (kept, old): (Vec<_>, Vec<_>) = lines
        .iter()
        .cloned()
        .partition(|line| line.what == What::Nothing);
    let first = lines
        .iter()
        .position(|line| line.what != What::Nothing)
        .unwrap_or(lines.len());
    let mut new = File::default();
    for wish in wishes.iter().filter(|wish| wish.state == State::Present) {
        new.place(wish);
    }
    // What says the same already stays as it is written.
    for line in &mut new.lines {
        let same = |one: &&Line| match (&one.what, &line.what) {
            (What::Rule(one, was), What::Rule(rule, comment)) => {
                one.same(rule) && (comment.is_none() || comment == was)
            }
            _ => false,
        };
        if let Some(same) = old.iter().find(same) {
            line.clone_from(same);
            end(&mut line.raw);
        }
    }
    let order = |lines: &[Line]| {
        lines
            .iter()
            .map(|line| line.what.clone())
            .collect::<Vec<_>>()
    };
    if order(&old) == order(&new.lines) {
        return Edited {
            text: raw(lines),
            ..Edited::default()
        };
    }
    let secret = wishes.iter().any(|wish| wish.secret);
    let only = |these: &[Line], others: &[Line]| -> Vec<String> {
        let alone = |line: &&Line| others.iter().all(|other| other.what != line.what);
        these.iter().filter(alone).map(shown).collect()
    };
    let gone = only(&old, &new.lines).into_iter();
    let gone = gone.map(|text| Told {
        before: Some(text),
        after: None,
        secret,
    });
    let come = only(&new.lines, &old).into_iter();
    let come = come.map(|text| Told {
        before: None,
        after: Some(text),
        secret,
    });
    let told = gone.chain(come).collect();
    let mut after = kept;
    if let Some(above) = first.checked_sub(1) {
        end(&mut after[above].raw);
    }
    after.splice(first..first, new.lines);
    Edited {
        text: raw(&after),
        told,
        warnings: Vec::new(),
    }
}

fn raw(lines: &[Line]) -> Vec<u8> {
    lines.iter().flat_map(|line| line.raw.clone()).collect()
}

/// A line that another follows ends.
fn end(raw: &mut Vec<u8>) {
    if !raw.is_empty() && !raw.ends_with(b"\n") {
        raw.push(b'\n');
    }
}

/// A line as it is told of.
fn shown(line: &Line) -> String {
    match &line.what {
        What::Rule(rule, comment) => text(rule, comment.as_deref(), " "),
        _ => String::from_utf8_lossy(&line.raw).trim().to_owned(),
    }
}

fn text(rule: &Rule, comment: Option<&str>, between: &str) -> String {
    let comment = comment.map(|text| format!("{between}# {text}"));
    rule.columns().join(between) + &comment.unwrap_or_default()
}

#[derive(Debug, Default)]
struct File {
    lines: Vec<Line>,
    told: Vec<Told>,
    warnings: Vec<String>,
}

impl File {
    fn edited(self) -> Edited {
        Edited {
            text: raw(&self.lines),
            told: self.told,
            warnings: self.warnings,
        }
    }

    /// Where rules are for which something holds.
    fn find(&self, holds: impl Fn(&Rule) -> bool) -> Vec<usize> {
        let rule = |line: &Line| matches!(&line.what, What::Rule(rule, _) if holds(rule));
        let found = self.lines.iter().enumerate().filter(|(_, line)| rule(line));
        found.map(|(at, _)| at).collect()
    }

    fn place(&mut self, wish: &Wish) {
        let rule = &wish.rule;
        let own = |other: &Rule| other.same_connections(rule) && other.kind.overlaps(rule.kind);
        let mine = self.find(own);
        let hides = self
            .find(|other| !own(other) && other.hides(rule))
            .first()
            .copied();
        // The one that comes nearest is kept.
        let at = mine.iter().copied().find(
            |at| matches!(&self.lines[*at].what, What::Rule(other, _) if other.kind == rule.kind),
        );
        let Some(at) = at.or(mine.first().copied()) else {
            let line = made(wish, None);
            self.told.push(Told {
                before: None,
                after: Some(shown(&line)),
                secret: wish.secret,
            });
            self.insert(hides, line);
            return;
        };
        let now = self.lines[at].clone();
        let What::Rule(other, comment) = &now.what else {
            return;
        };
        let same = other.same(rule) && (wish.comment.is_none() || wish.comment == *comment);
        let hidden = hides.filter(|hides| *hides < at);
        let line = if same {
            now.clone()
        } else {
            made(wish, comment.as_deref())
        };
        if !same || hidden.is_some() {
            self.told.push(Told {
                before: Some(shown(&now)),
                after: Some(shown(&line)),
                secret: wish.secret,
            });
        }
        for other in mine.iter().filter(|other| **other != at) {
            let before = Some(shown(&self.lines[*other]));
            self.told.push(Told {
                before,
                after: None,
                secret: wish.secret,
            });
        }
        // From behind, so that the places before stay what they are.
        self.lines[at] = line.clone();
        let gone = |index: &usize| *index != at || hidden.is_some();
        for index in mine.into_iter().rev().filter(gone) {
            self.lines.remove(index);
        }
        if let Some(to) = self
            .find(|other| !own(other) && other.hides(rule))
            .first()
            .copied()
            && hidden.is_some()
        {
            self.insert(Some(to), line);
        }
    }

    fn insert(&mut self, at: Option<usize>, mut line: Line) {
        let at = at.unwrap_or(self.lines.len());
        end(&mut line.raw);
        if let Some(before) = at.checked_sub(1) {
            end(&mut self.lines[before].raw);
        }
        self.lines.insert(at, line);
    }

    fn remove(&mut self, wish: &Wish) {
        let rule = &wish.rule;
        for at in self
            .find(|other| other.same_connections(rule) && other.kind == rule.kind)
            .into_iter()
            .rev()
        {
            let gone = self.lines.remove(at);
            self.told.push(Told {
                before: Some(shown(&gone)),
                after: None,
                secret: wish.secret,
            });
        }
        let several = |other: &Rule| {
            (other.databases.len() > 1 || other.users.len() > 1)
                && other.kind == rule.kind
                && other.source == rule.source
                && rule
                    .databases
                    .iter()
                    .all(|name| other.databases.contains(name))
                && rule.users.iter().all(|name| other.users.contains(name))
        };
        for at in self.find(several) {
            let line = &self.lines[at];
            self.warnings.push(format!(
                "`{}` stays: it is for more than the rule that is to go",
                shown(line)
            ));
        }
    }
}

/// A line with the rule; its comment stays if none is asked for.
fn made(wish: &Wish, comment: Option<&str>) -> Line {
    let comment = wish.comment.as_deref().or(comment);
    Line::new((text(&wish.rule, comment, "\t") + "\n").into_bytes(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "\
# \"local\" is for sockets
local   all             postgres                                peer

# local
local   all             all                                     peer
host    all             all             127.0.0.1/32            scram-sha-256 # v4
# the end";

    /// A line as a wish; `-` before it: absent.
    fn wish(text: &str) -> Wish {
        let (text, state) = match text.strip_prefix('-') {
            Some(text) => (text, State::Absent),
            None => (text, State::Present),
        };
        match Line::new(text.into(), 1).what {
            What::Rule(rule, comment) => Wish {
                rule,
                comment,
                state,
                secret: false,
            },
            what => panic!("{text}: {what:?}"),
        }
    }

    /// What becomes of the text; the second time nothing.
    fn becomes(before: &str, wishes: &[&str], overwrite: bool) -> (String, usize) {
        let wishes: Vec<Wish> = wishes.iter().map(|text| wish(text)).collect();
        let edited = edit(before.as_bytes(), &wishes, overwrite).unwrap();
        let again = edit(&edited.text, &wishes, overwrite).unwrap();
        assert_eq!((&again.text, again.told.len()), (&edited.text, 0));
        (String::from_utf8(edited.text).unwrap(), edited.told.len())
    }

    #[test]
    fn a_rule_comes_before_what_would_hide_it() {
        let (text, told) = becomes(
            DEBIAN,
            &[
                "host airflow airflow 127.0.0.1/32 md5",
                "local airflow airflow md5",
                "host all all 10.0.0.0/8 md5",
            ],
            false,
        );
        let expected = DEBIAN
            .replace(
                "local   all             all",
                "local\tairflow\tairflow\tmd5\nlocal   all             all",
            )
            .replace(
                "host    all",
                "host\tairflow\tairflow\t127.0.0.1/32\tmd5\nhost    all",
            )
            + "\nhost\tall\tall\t10.0.0.0/8\tmd5\n";
        assert_eq!((text, told), (expected, 3));
    }

    #[test]
    fn a_rule_changes_where_it_is() {
        let (text, told) = becomes(DEBIAN, &["host all all 127.0.0.1/32 md5"], false);
        let line =
            "host    all             all             127.0.0.1/32            scram-sha-256 # v4";
        assert_eq!(
            text,
            DEBIAN.replace(line, "host\tall\tall\t127.0.0.1/32\tmd5\t# v4")
        );
        assert_eq!(told, 1);
        let same = "host all all 127.0.0.1/32 scram-sha-256";
        assert_eq!(becomes(DEBIAN, &[same], false), (DEBIAN.to_owned(), 0));
        let (text, _) = becomes(DEBIAN, &[&format!("{same} # other")], false);
        assert!(text.contains("scram-sha-256\t# other\n"), "{text}");
    }

    #[test]
    fn what_is_hidden_moves_and_doubles_go() {
        let before = "host all all all reject\nhost  a  u  10.0.0.0/8  md5\nhost a u 10.0.0.0/8 trust\nlocal all all peer";
        let (text, told) = becomes(before, &["host a u 10.0.0.0/8 md5"], false);
        assert_eq!(
            text,
            "host  a  u  10.0.0.0/8  md5\nhost all all all reject\nlocal all all peer"
        );
        assert_eq!(told, 2);
        // The other kind of the same connections is replaced, the other half is not.
        let before = "host a u 10.0.0.0/8 md5\nhostnossl b u 10.0.0.0/8 reject\n";
        let (text, _) = becomes(
            before,
            &["hostssl a u 10.0.0.0/8 md5", "hostssl b u 10.0.0.0/8 md5"],
            false,
        );
        assert_eq!(
            text,
            "hostssl\ta\tu\t10.0.0.0/8\tmd5\nhostnossl b u 10.0.0.0/8 reject\nhostssl\tb\tu\t10.0.0.0/8\tmd5\n"
        );
    }

    #[test]
    fn a_rule_goes() {
        let (text, told) = becomes(DEBIAN, &["-local all all trust"], false);
        assert_eq!(
            text,
            DEBIAN.replace(
                "local   all             all                                     peer\n",
                ""
            )
        );
        assert_eq!(told, 1);
        let before = b"host a,b u all md5\n";
        let edited = edit(before, &[wish("-host a u all md5")], false).unwrap();
        assert_eq!(edited.text, before);
        assert!(edited.warnings[0].contains("`host a,b u all md5` stays"));
    }

    #[test]
    fn all_others_go() {
        let wishes = [
            "host b u all md5",
            "host a u 10.0.0.0/8 md5",
            "local all postgres peer",
        ];
        let (text, told) = becomes(DEBIAN, &wishes, true);
        assert_eq!(
            text,
            "# \"local\" is for sockets\nhost\tb\tu\tall\tmd5\nhost\ta\tu\t10.0.0.0/8\tmd5\n\
             local   all             postgres                                peer\n\n# local\n# the end"
        );
        assert_eq!(told, 4);
        assert_eq!(
            becomes("# only", &["local all all peer"], true).0,
            "# only\nlocal\tall\tall\tpeer\n"
        );
        assert_eq!(
            becomes("", &["local all all peer"], true).0,
            "local\tall\tall\tpeer\n"
        );
        assert_eq!(
            becomes("nonsense\n", &["local all all peer"], true).0,
            "local\tall\tall\tpeer\n"
        );
        assert_eq!(becomes("local all all peer", &[], true).0, "");
    }

    #[test]
    fn a_file_that_is_wrong_is_not_touched() {
        let why = edit(b"\nlocal all all\n", &[wish("local all u peer")], false).unwrap_err();
        assert_eq!(why.message, "line 2 is no rule: it has no method");
        assert!(edit(b"nonsense\n", &[], false).unwrap().told.is_empty());
    }
}
