//! Sections: operations of other identities than the script's own.

use std::collections::BTreeMap;

use super::{
    SetUp,
    build::{goes_elsewhere, next, who_of},
    denied,
    text::{Needs, Piece, Script},
};
use crate::{
    host::{HostError, LedgerPlace, Op},
    identity::{Identity, Method},
    secret::Secret,
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

/// Writes the wrapper `name`, which runs a script of the stream as `who`.
fn define(script: &mut Script<'_>, name: &str, who: &Identity) -> Result<(), HostError> {
    script.raw(name).raw("() {\nek_n=$1\nshift\nek_u=");
    match &who.user {
        Some(user) => script.word_joined(user)?,
        None => script.raw("$ek_login"),
    };
    script.raw("\nek_pw=");
    if let Some(secret) = &who.secret {
        script.word_joined(password(who, secret)?)?;
    }
    script.raw("\nek_choose ").raw(program(who.method));
    script.raw(format!(
        "\ncase \" $ek_ttys \" in *' {name} '*) ek_tty=1 ;; esac\n"
    ));
    if who.method == Method::Sudo && who.flags.iter().any(|flag| by_shell(flag)) {
        script.raw("[ \"$ek_m\" != sudo ] || ek_in=$ek_inside_shell\n");
    }
    script.raw(INNER);
    script.raw("case $ek_m in\nown) ;;\nsudo)\nset -- -H -u \"$ek_u\" -- \"$@\"\n");
    script.raw("if [ -n \"$ek_pw\" ]; then set -- -S -p '' \"$@\"; else set -- -n \"$@\"; fi\n");
    script.raw("set -- sudo");
    flags(script, who, Method::Sudo)?;
    script.raw(" \"$@\" ;;\ndoas)\nset -- -u \"$ek_u\" -- \"$@\"\n");
    script.raw("[ -n \"$ek_pw\" ] || set -- -n \"$@\"\nset -- doas");
    flags(script, who, Method::Doas)?;
    script.raw(" \"$@\" ;;\n*) set -- su");
    flags(script, who, Method::Su)?;
    script
        .raw(" -s /bin/sh -c 'exec \"$@\"' -- \"$ek_u\" sh \"$@\" ;;\nesac\nek_enter \"$@\"\n}\n");
    Ok(())
}

/// What is run at the other side; a limit of time is kept there too, as nobody here may kill it.
const INNER: &str = "set -- \"$ek_shell\" -c \"$ek_in\" sh \"$ek_n\" \"$ek_until_mark\" \"$@\"
[ \"$ek_limit\" = 0 ] || set -- timeout -k 10 \"$ek_limit\" \"$@\"
";

/// The program of a method.
pub(super) fn program(method: Method) -> &'static str {
    match method {
        Method::Sudo => "sudo",
        Method::Su => "su",
        Method::Doas => "doas",
    }
}

/// The arguments for the method's program. One that forbids it to ask would make a password useless.
fn flags(script: &mut Script<'_>, who: &Identity, method: Method) -> Result<(), HostError> {
    if who.method != method {
        return Ok(());
    }
    let silent = |flag: &str| matches!(flag, "-n" | "--non-interactive");
    let asks = who.secret.is_some();
    script.words(who.flags.iter().filter(|flag| !(asks && silent(flag))))?;
    Ok(())
}

/// Whether the flag makes sudo run things by a shell.
fn by_shell(flag: &str) -> bool {
    let letters = flag.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
    matches!(flag, "--login" | "--shell") || letters.is_some_and(|all| all.contains(['i', 's']))
}

/// A password is one line: that is how it is sent.
fn password<'a>(who: &Identity, secret: &'a Secret) -> Result<&'a [u8], HostError> {
    let bytes = secret.reveal();
    if bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
        return Err(denied::not_one_line(who));
    }
    Ok(bytes)
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

/// Without a private directory for what they print no steps can be taken.
fn open_spool(inner: &mut Script<'_>, last: usize) {
    inner.raw(format!(
        "ek_open_spool || {{\nek_say \"barred $ek_next {last} 1\"\n"
    ));
    inner.raw("printf 'no private directory can be made below /tmp'\n");
    inner.raw(format!("exit {END}\n}}\n"));
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
        open_spool(&mut inner, last);
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

/// The identity that becomes root like this one.
pub(super) fn as_root(identity: &Identity) -> Identity {
    Identity {
        user: Some("root".into()),
        ..identity.clone()
    }
}

/// A script that becomes root and there runs the given one.
pub(super) fn conducted_by_root(
    setup: &SetUp,
    identity: &Identity,
    text: Vec<u8>,
    data: Vec<Piece>,
) -> Result<(Vec<u8>, Vec<Piece>), HostError> {
    let mut script = Script::new(setup);
    script.raw("ek_me=$(id -un)\nif [ \"$(id -u)\" = 0 ]; then ek_me=root; fi\n");
    define(&mut script, "ek_w", &as_root(identity))?;
    script.raw("ek_become ek_w || {\nek_say \"denied $ek_s\"\n");
    script.raw("printf '%s' \"$ek_why\"\nexit 0\n}\n");
    let len = text.len();
    script.raw(format!("ek_w {len} 0 \"$ek_me\" \"$PPID\"\n"));
    let (outer, _) = script.finish(Needs {
        sections: true,
        ..Needs::default()
    });
    let mut all = vec![Piece::Bytes(text)];
    all.extend(data);
    Ok((outer, all))
}
