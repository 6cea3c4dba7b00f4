//! A database as a file of the host, and back.

use evenkeel_engine::{
    Cause, Change, Content, Done, NotYet, Plan, Refusal, Run, Stop, Value,
    probes::{Kind, Stat},
};

use super::Args;
use crate::{
    download::script,
    look::Look,
    psql::{self, Database, Login, Question, Server, Sql, step},
    words,
};

/// A copy that takes longer than a day hangs.
const LIMIT: u64 = 24 * 60 * 60;
const DUMP: &str = concat!(include_str!("../psql/login.sh"), include_str!("dump.sh"));
const RESTORE: &str = concat!(include_str!("../psql/login.sh"), include_str!("restore.sh"));

/// How a file is written: by the ending of its name, as `pg_dump` and packers have it.
struct Form {
    /// What packs and unpacks it.
    pack: &'static str,
    /// The format of `pg_dump`.
    format: &'static str,
}

const FORMS: &[(&str, Form)] = &[
    (
        ".pgc",
        Form {
            pack: "cat",
            format: "c",
        },
    ),
    (
        ".tar",
        Form {
            pack: "cat",
            format: "t",
        },
    ),
    (
        ".dir",
        Form {
            pack: "dir",
            format: "d",
        },
    ),
    (
        ".gz",
        Form {
            pack: "gzip",
            format: "p",
        },
    ),
    (
        ".bz2",
        Form {
            pack: "bzip2",
            format: "p",
        },
    ),
    (
        ".xz",
        Form {
            pack: "xz",
            format: "p",
        },
    ),
    (
        ".zst",
        Form {
            pack: "zstd",
            format: "p",
        },
    ),
    (
        "",
        Form {
            pack: "cat",
            format: "p",
        },
    ),
];

fn form(target: &str) -> &'static Form {
    let (_, form) = FORMS
        .iter()
        .find(|(end, _)| target.ends_with(end))
        .unwrap_or(&FORMS[FORMS.len() - 1]);
    form
}

/// The file, and more words for the program.
fn words(args: &Args) -> (String, Vec<String>) {
    let more = args.target_opts.as_deref().unwrap_or_default();
    (
        args.target.clone().unwrap_or_default(),
        shlex::split(more).unwrap_or_default(),
    )
}

/// Refuses what names no file.
pub(super) fn check(args: &Args) -> Result<(), Refusal> {
    let Some(target) = args.target.as_deref() else {
        return Err(Refusal::new(
            "`state: dump` and `state: restore` need `target`, the whole path of a file of the host",
        ));
    };
    if !target.starts_with('/') || target.ends_with('/') || target.contains('\0') {
        return Err(Refusal::new(format!(
            "`target: {target}` is no whole path of a file"
        )));
    }
    if shlex::split(args.target_opts.as_deref().unwrap_or_default()).is_none() {
        return Err(Refusal::new("`target_opts` has a quote that is not closed"));
    }
    Ok(())
}

/// Writes the file, each time.
pub(super) fn dump(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let login = args.login();
    need_database(args, look, &login)?;
    let (target, more) = words(args);
    let form = form(&target);
    let mut argv = vec![form.pack.to_owned(), target.clone()];
    argv.extend(["-w".to_owned(), format!("--format={}", form.format)]);
    argv.extend(login.role.iter().map(|role| format!("--role={role}")));
    argv.extend(more);
    Ok(Change::new("dump", Value::Null, target)
        .step(run(args, login, "dump", DUMP, argv))
        .because(Cause::Act)
        .into())
}

/// Reads the file, each time; all of it, or nothing.
pub(super) fn restore(args: &Args, look: &Look<'_>) -> Result<Plan, Stop> {
    let login = args.login();
    let (target, more) = words(args);
    let file = Stat(target.clone());
    look.ask(&file);
    look.ask(&Sql {
        login: login.clone(),
        question: Question::Server,
    });
    need_database(args, look, &login)?;
    let form = form(&target);
    match look.get(&file)?.as_ref().map(|stat| &stat.kind) {
        Some(Kind::Directory) if form.pack != "dir" => {
            return Err(Refusal::new(format!("`{target}` is a directory"))
                .help("a dump that is a directory has a name that ends in `.dir`")
                .into());
        }
        Some(_) => {}
        None => return Err(NotYet(format!("the file `{target}`")).into()),
    }
    let server: Server = psql::get(look, &login, Question::Server)?;
    step::writable(&login, &server)?;
    let mut argv = vec![form.pack.to_owned(), target.clone()];
    if form.format == "p" {
        let fixed = "psql -X -q -w -v ON_ERROR_STOP=1 --single-transaction";
        argv.extend(fixed.split(' ').map(str::to_owned));
        if let Some(role) = &login.role {
            let role = psql::quote::ident(role);
            argv.extend(["-c".to_owned(), format!("SET ROLE {role}")]);
        }
        argv.extend(more);
        argv.extend(["-f".to_owned(), "-".to_owned()]);
    } else {
        // The name of a database would be read as an address.
        let quoted = args.name.replace('\\', "\\\\").replace('\'', "\\'");
        let fixed = "pg_restore -w --exit-on-error -d";
        argv.extend(fixed.split(' ').map(str::to_owned));
        argv.push(format!("dbname='{quoted}'"));
        argv.extend(login.role.iter().map(|role| format!("--role={role}")));
        // Several at once have no common transaction.
        let parallel = |word: &String| word.starts_with("-j") || word.starts_with("--jobs");
        if !more.iter().any(parallel) {
            argv.push("--single-transaction".to_owned());
        }
        argv.extend(more);
    }
    Ok(Change::new("restored from", Value::Null, target)
        .step(run(args, login, "restore", RESTORE, argv))
        .because(Cause::Act)
        .into())
}

fn explain(done: &Done) -> Option<Refusal> {
    step::explain(done).or_else(|| words::last_line(done))
}

fn need_database(args: &Args, look: &Look<'_>, login: &Login) -> Result<(), Stop> {
    let now: Option<Database> = psql::get(look, login, Question::Database(args.name.clone()))?;
    now.map(|_| ())
        .ok_or_else(|| NotYet(format!("the database `{}`", args.name)).into())
}

fn run(args: &Args, mut login: Login, name: &str, lines: &str, words: Vec<String>) -> Run {
    login.database.clone_from(&args.name);
    let (argv, stdin) = script(name, lines, words, &Content::default());
    Run {
        dir: Some("/".to_owned()),
        env: login.env(),
        seconds: Some(LIMIT),
        long: true,
        stdin,
        explain: Some(explain),
        ..Run::new(argv)
    }
}
