//! Sections: operations of other identities than the script's own.

use std::collections::BTreeMap;

use super::{
    SetUp,
    build::{goes_elsewhere, next, who_of},
    text::{Needs, Piece, Script},
};
use crate::{
    host::{HostError, LedgerPlace, Op},
    identity::{Identity, Method},
};

/// The statuses with which a section says where to go on: this, and one for each place.
const END: usize = 20;
/// So many places at most.
const PLACES: usize = 100;

/// The wrapper functions that a script has.
#[derive(Debug, Default)]
pub(super) struct Wrappers(Vec<Identity>);

impl Wrappers {
    /// The function that runs its arguments as `who`; defines it where it is first used.
    pub(super) fn function(
        &mut self,
        script: &mut Script<'_>,
        who: &Identity,
        own: bool,
    ) -> Result<String, HostError> {
        if own {
            return Ok("ek_self".into());
        }
        if let Some(at) = self.0.iter().position(|known| known == who) {
            return Ok(format!("ek_w{at}"));
        }
        let name = format!("ek_w{}", self.0.len());
        self.0.push(who.clone());
        define(script, &name, who)?;
        Ok(name)
    }
}

/// Writes the function `name`, which runs its arguments as `who`. Root needs no method to become
/// somebody: it takes what there is.
fn define(script: &mut Script<'_>, name: &str, who: &Identity) -> Result<(), HostError> {
    script.raw(name).raw("() {\nek_u=");
    match &who.user {
        Some(user) => script.word_joined(user)?,
        None => script.raw("$ek_login"),
    };
    script.raw("\nif [ \"$ek_me\" = \"$ek_u\" ]; then $ek_pre \"$@\"; return; fi\n");
    script.raw("ek_m=").raw(match who.method {
        Method::Sudo => "sudo",
        Method::Su => "su",
        Method::Doas => "doas",
    });
    script.raw("\nif [ \"$ek_me\" = root ]; then\n");
    script.raw(
        "for ek_m in \"$ek_m\" sudo su; do ! command -v \"$ek_m\" >/dev/null || break; done\nfi\n",
    );
    script.raw("case $ek_m in\nsudo) $ek_pre sudo");
    let flags = |method| {
        if who.method == method {
            &who.flags[..]
        } else {
            &[]
        }
    };
    script.words(flags(Method::Sudo))?;
    script.raw(" -n -H -u \"$ek_u\" -- \"$@\" ;;\ndoas) $ek_pre doas");
    script.words(flags(Method::Doas))?;
    script.raw(" -n -u \"$ek_u\" -- \"$@\" ;;\n*) $ek_pre su");
    script.words(flags(Method::Su))?;
    script.raw(" -s /bin/sh -c 'exec \"$@\"' -- \"$ek_u\" sh \"$@\" ;;\nesac\n}\n");
    Ok(())
}

/// The last operation (before `end`) that shares a section with `first`.
pub(super) fn last(all: &[&Op], first: usize, end: usize, place: &LedgerPlace) -> usize {
    let who = who_of(all[first]);
    let mut last = first;
    while last + 1 < end
        && last - first < PLACES
        && goes_elsewhere(all[last + 1], place)
        && who_of(all[last + 1]) == who
    {
        last += 1;
    }
    last
}

/// Writes the section that begins with operation `first` and ends with the last of `all`; `record`:
/// what it prints may have to be recalled.
pub(super) fn write(
    script: &mut Script<'_>,
    groups: &mut BTreeMap<usize, Vec<Vec<usize>>>,
    wrappers: &mut Wrappers,
    all: &[&Op],
    first: usize,
    record: bool,
) -> Result<(), HostError> {
    let last = all.len() - 1;
    let who = who_of(all[first]).cloned().unwrap_or_default();
    let steps = all[first..].iter().any(|op| matches!(op, Op::Step { .. }));
    let wrapper = wrappers.function(script, &who, false)?;

    let mut places = Vec::new();
    let mut inner = Script::new(script.setup);
    inner.raw("ek_next=${1-0} ek_new=\n");
    if steps {
        inner.raw("ek_open_spool\n");
    }
    let mut at = first;
    while at <= last {
        let mut none = Wrappers::default();
        let end = all.len();
        at = next(
            &mut inner,
            groups,
            &mut none,
            all,
            at,
            end,
            &LedgerPlace::User,
        )?;
    }
    for op in &all[first..] {
        if let Op::Step {
            on_failure: Some(to),
            ..
        } = op
            && *to > last
            && !places.contains(to)
        {
            places.push(*to);
        }
    }
    if steps {
        inner.raw("ek_close_spool\n");
    }
    inner.raw("case $ek_next in\n");
    for (index, to) in places.iter().enumerate() {
        inner.raw(format!("{to}) exit {} ;;\n", END + 1 + index));
    }
    inner.raw(format!("\"$ek_end\") exit {END} ;;\nesac\nexit 0\n"));
    let (text, data) = inner.finish(Needs {
        sections: false,
        lock: false,
        steps,
    });
    let (at, len, text_len) = script.nested(text, data);

    let acts = |op: &Op| matches!(op, Op::Step { .. } | Op::Guard { .. });
    let stop = all[first..].iter().any(|op| acts(op));
    script.raw(format!("if [ \"$ek_next\" -le {last} ]; then\n"));
    script.raw(format!("[ \"$ek_next\" -ge {first} ] || ek_next={first}\n"));
    if stop {
        script.raw("if ek_stopping; then ek_next=$ek_end\nelif");
    } else {
        script.raw("if");
    }
    script.raw(format!(" ek_become {wrapper}; then\n"));
    let noted = if record { "ek_noted " } else { "" };
    script.raw(format!(
        "{noted}ek_section {wrapper} {at} {len} {text_len}\n"
    ));
    script.raw("case $? in\n0) ;;\n");
    for (index, to) in places.iter().enumerate() {
        script.raw(format!("{}) ek_next={to} ;;\n", END + 1 + index));
    }
    script.raw("*) ek_next=$ek_end ;;\nesac\n");
    barred(script, all, first);
    Ok(())
}

/// What is said where the section cannot be begun.
fn barred(script: &mut Script<'_>, all: &[&Op], first: usize) {
    script.raw(format!("else\nek_barred {}", all.len() - 1));
    for (at, op) in all.iter().enumerate().skip(first) {
        match op {
            Op::Step { on_failure, .. } => {
                let to = on_failure.map_or("$ek_end".to_owned(), |to| to.to_string());
                script.raw(format!(" \"{at}:{to}\""));
            }
            Op::Guard { .. } => {
                script.raw(format!(" \"{at}:$ek_end\""));
            }
            _ => {}
        }
    }
    script.raw("\nfi\nfi\n");
}

/// A script that becomes root and there runs the given one.
pub(super) fn as_root(
    setup: &SetUp,
    identity: &Identity,
    text: Vec<u8>,
    data: Vec<Piece>,
) -> Result<(Vec<u8>, Vec<Piece>), HostError> {
    let mut script = Script::new(setup);
    let root = Identity {
        user: Some("root".into()),
        ..identity.clone()
    };
    script.raw("ek_me=$(id -un)\nif [ \"$(id -u)\" = 0 ]; then ek_me=root; fi\n");
    define(&mut script, "ek_w", &root)?;
    script.raw("ek_why=$(ek_w true </dev/null 2>&1) || {\nek_say denied\n");
    script.raw("printf '%s' \"$ek_why\"\nexit 0\n}\n");
    let (shell, len) = (&setup.shell, text.len());
    let call = format!("ek_w {shell} -c 'eval \"$(head -c {len})\"' sh 0 \"$ek_me\" \"$PPID\"\n");
    script.raw(call);
    let (outer, _) = script.finish(Needs {
        sections: true,
        ..Needs::default()
    });
    let mut all = vec![Piece::Bytes(text)];
    all.extend(data);
    Ok((outer, all))
}
