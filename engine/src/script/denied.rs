//! Why somebody could not be become, from what sudo, su or doas said.

use super::sections::program;
use crate::{
    host::HostError,
    identity::{Identity, Method},
};

/// Why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Denied {
    pub(super) why: String,
    pub(super) help: String,
}

impl Denied {
    fn new(why: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            help: help.into(),
        }
    }

    /// As the error of a host.
    pub(super) fn of(self, who: &Identity) -> HostError {
        HostError::Privilege {
            user: user_of(who).to_owned(),
            why: self.why,
            help: self.help,
        }
    }
}

fn user_of(who: &Identity) -> &str {
    who.user.as_deref().unwrap_or("the login user")
}

/// A password is sent as one line.
pub(super) fn not_one_line(who: &Identity) -> HostError {
    Denied::new(
        "the password has more than one line, or a NUL byte in it",
        "give one line: has the file it comes from a line too many?",
    )
    .of(who)
}

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    NoScript,
    Terminal,
    Setuid,
    Program,
    User,
    Forbidden,
    Account,
    Password,
    Unclear,
}

/// What gives a cause away, in lower case. The first that fits counts.
const SIGNS: &[(Cause, &[&str])] = &[
    (Cause::NoScript, &["no terminal: script: not found"]),
    (
        Cause::Terminal,
        &[
            "must have a tty",
            "must be run from a terminal",
            "must be a tty",
        ],
    ),
    (
        Cause::Setuid,
        &[
            "setuid",
            "no new privileges",
            "effective uid is not 0",
            "not installed",
        ],
    ),
    (
        Cause::Program,
        &[
            "sudo: not found",
            "su: not found",
            "doas: not found",
            "command not found",
        ],
    ),
    (
        Cause::User,
        &[
            "unknown user",
            "does not exist",
            "no passwd entry",
            "user not found",
        ],
    ),
    (
        Cause::Forbidden,
        &[
            "not in the sudoers",
            "may not run sudo",
            "is not allowed to",
            "sorry, i'm afraid i can't do that",
            "operation not permitted",
            "doas: not permitted",
            "su: permission denied",
        ],
    ),
    (
        Cause::Account,
        &[
            "currently not available",
            "account has expired",
            "account expired",
            "account is locked",
            "account locked",
            "account validation failure",
            "password has expired",
            "password expired",
            "password change required",
            "account or password is expired",
            "using restricted shell",
        ],
    ),
    (
        Cause::Password,
        &[
            "a password is required",
            "authentication required",
            "interactive authentication is required",
            "a terminal is required",
            "no tty present",
            "no password was provided",
            "incorrect password",
            "try again",
            "authentication fail",
            "incorrect authentication",
        ],
    ),
];

fn cause(status: i32, said: &str) -> Cause {
    let low = said.to_lowercase();
    let fits = |signs: &&[&str]| signs.iter().any(|sign| low.contains(sign));
    let found = SIGNS.iter().find(|(_, signs)| fits(signs));
    match found {
        Some((cause, _)) => *cause,
        None if status == 127 => Cause::Program,
        None => Cause::Unclear,
    }
}

/// What a refusal means.
pub(super) fn explain(who: &Identity, status: i32, said: &str) -> Denied {
    let (user, program) = (user_of(who), program(who.method));
    let says = told(program, said);
    match cause(status, said) {
        Cause::NoScript => Denied::new(
            format!("{program} wants a terminal, and the host has no `script` to give it one"),
            "install `script` (package util-linux or bsdutils), or let it work without: \
             `permit nopass` in doas.conf",
        ),
        Cause::Terminal => Denied::new(
            format!("{program} wants a terminal: {says}"),
            match who.method {
                Method::Sudo => {
                    "take `Defaults requiretty` out of sudoers (for the login user: \
                     `Defaults:USER !requiretty`), or install `script` (util-linux), which gives \
                     it one"
                }
                Method::Su | Method::Doas => "use `become_method: sudo`, which needs none",
            },
        ),
        Cause::Setuid => Denied::new(
            says,
            format!(
                "the host must let `{program}` become root: it needs its setuid bit, a file system \
                 that is not mounted `nosuid`, and no `no_new_privs`"
            ),
        ),
        Cause::Program => Denied::new(
            format!("the host has no `{program}`"),
            "install it, or set `become_method` to one that is there: sudo, su or doas",
        ),
        Cause::User => Denied::new(
            format!("there is no user `{user}` on the host"),
            "let an earlier task make it, or change `become_user`",
        ),
        Cause::Forbidden => Denied::new(
            format!("{program} does not allow it: {says}"),
            match who.method {
                Method::Sudo => allow(user, &format!("`LOGIN ALL=({user}) ALL` in sudoers")),
                Method::Doas => allow(user, &format!("`permit LOGIN as {user}` in doas.conf")),
                Method::Su => "let the login user use su (with pam_wheel: put it into group \
                     `wheel`), or use `become_method: sudo`"
                    .to_owned(),
            },
        ),
        Cause::Account => Denied::new(
            format!("the account is locked, expired or has no shell: {says}"),
            match who.method {
                Method::Su => format!(
                    "use `become_method: sudo`, which asks for no login shell, or give `{user}` a \
                     shell that /etc/shells lists"
                ),
                Method::Sudo | Method::Doas => {
                    "`chage -l USER` and `passwd -S USER` on the host tell which: unlock it".into()
                }
            },
        ),
        Cause::Password => password(who),
        Cause::Unclear => Denied::new(
            match &says[..] {
                "" => format!("{program} ended with status {status} and said nothing"),
                _ => says,
            },
            format!("let the login user become `{user}` by {program}, or change `become_user`"),
        ),
    }
}

fn allow(user: &str, rule: &str) -> String {
    format!(
        "allow the login user to run any command as `{user}` ({rule}): single commands are not \
         enough, as `sh` is what is run"
    )
}

fn password(who: &Identity) -> Denied {
    let (user, program) = (user_of(who), program(who.method));
    let whose = match who.method {
        Method::Su => format!("`{user}`'s own, as su asks for that"),
        Method::Sudo | Method::Doas => {
            format!("the login user's, as {program} asks for that, not `{user}`'s")
        }
    };
    if who.secret.is_none() {
        return Denied::new(
            format!("{program} asks for a password, and none was given"),
            format!(
                "give it by `ansible_become_password` of the host, `--ask-become-pass` or \
                 `--become-password-file`; it is {whose}"
            ),
        );
    }
    Denied::new(
        format!("{program} says that the password is wrong"),
        format!("it must be {whose}: correct `ansible_become_password` or what was typed"),
    )
}

/// What the program itself said: neither a lecture nor a banner.
fn told(program: &str, said: &str) -> String {
    let prefix = format!("{program}: ");
    let own: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with(&prefix))
        .map(|line| &line[prefix.len()..])
        .collect();
    if own.is_empty() {
        // The end counts: a lecture comes first.
        let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        return clip(last.unwrap_or_default());
    }
    clip(&own.join("; "))
}

fn clip(text: &str) -> String {
    super::answer::clip(text.trim())
}

#[cfg(test)]
mod tests {
    use Method::{Doas, Su, Sudo};

    use super::*;
    use crate::secret::Secret;

    fn who(method: Method, secret: bool) -> Identity {
        Identity {
            method,
            secret: secret.then(|| Secret::new("hunter2")),
            ..Identity::user("app")
        }
    }

    fn why(method: Method, secret: bool, said: &str) -> String {
        explain(&who(method, secret), 1, said).why
    }

    /// By what, with a password or not, what was said, what it means.
    const TABLE: &[(Method, bool, &str, &str)] = &[
        (
            Sudo,
            false,
            "sudo: a password is required",
            "none was given",
        ),
        (
            Doas,
            false,
            "doas: Authentication required",
            "none was given",
        ),
        (
            Su,
            false,
            "Password: su: Authentication failure",
            "none was given",
        ),
        (
            Sudo,
            true,
            "Sorry, try again.\n\nsudo: no password was provided\nsudo: 1 incorrect password attempt",
            "password is wrong",
        ),
        (
            Su,
            true,
            "Password: su: Authentication failure",
            "password is wrong",
        ),
        (
            Doas,
            true,
            "doas: Authentication failed",
            "password is wrong",
        ),
        (
            Sudo,
            true,
            "dep is not in the sudoers file.",
            "does not allow it",
        ),
        (
            Sudo,
            true,
            "Sorry, user dep is not allowed to execute '/usr/bin/sh' as app on h1.",
            "does not allow it",
        ),
        (
            Doas,
            false,
            "doas: Operation not permitted",
            "does not allow it",
        ),
        (Sudo, false, "sudo: unknown user app", "no user `app`"),
        (
            Su,
            false,
            "su: user app does not exist or the user entry does not contain all the required fields",
            "no user `app`",
        ),
        (
            Sudo,
            false,
            "sudo: sorry, you must have a tty to run sudo",
            "wants a terminal",
        ),
        (
            Sudo,
            false,
            "sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the 'nosuid' option set",
            "effective uid",
        ),
        (
            Su,
            true,
            "This account is currently not available.",
            "no shell",
        ),
        (Sudo, false, "sh: 1: sudo: not found", "has no `sudo`"),
        (
            Sudo,
            false,
            "\nWe trust you have received the usual lecture\n\nsudo: PAM error: Module is unknown",
            "PAM error: Module is unknown",
        ),
        (Sudo, false, "", "said nothing"),
    ];

    #[test]
    fn what_programs_say_is_understood() {
        for (method, secret, said, want) in TABLE {
            let why = why(*method, *secret, said);
            assert!(why.contains(want), "{said:?}: {why}");
        }
    }

    #[test]
    fn every_reason_has_a_remedy() {
        for said in [
            "",
            "sudo: a password is required",
            "x",
            "sudo: unknown user app",
        ] {
            assert!(!explain(&who(Method::Sudo, false), 1, said).help.is_empty());
        }
    }
}
