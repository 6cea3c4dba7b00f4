//! `evenkeel exec`: one task, said on the command line.

use serde_json::{Map, Value, json};

use super::{load, run, wrong};
use crate::{
    cli::{Exec, Selection},
    exit::Exit,
};

/// Modules whose arguments are a command line.
const COMMANDS: [&str; 4] = ["command", "shell", "script", "raw"];

/// `evenkeel exec`.
pub(super) fn exec(args: &Exec) -> Exit {
    let (module, words) = match words(args) {
        Ok(words) => words,
        Err(exit) => return exit,
    };
    let arguments = match arguments(&module, &words) {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    let mut task = Map::new();
    task.insert(module, arguments);
    let play = json!([{"hosts": args.pattern, "gather_facts": false, "tasks": [task]}]);
    let text = serde_yaml::to_string(&play).expect("a value is YAML");
    let selection = Selection {
        limit: args.limit.clone(),
        extra_vars: args.extra_vars.clone(),
        foreign: args.foreign.clone(),
        ..load::line(
            &args.inventory,
            &args.privilege,
            &args.connection,
            &args.vault,
        )
    };
    run::once(args, &selection, &text)
}

/// The module, and what is given to it: as words, or in Ansible's options.
fn words(args: &Exec) -> Result<(String, Vec<String>), Exit> {
    let mut words = args.args.clone();
    if let Some(text) = &args.module_args {
        if !words.is_empty() {
            return Err(wrong(
                "arguments stand both after the module and in `--args`",
                "say them once",
            ));
        }
        words.push(text.clone());
    }
    let named = args.module.as_ref().or(args.module_name.as_ref());
    match named {
        Some(module) => Ok((module.clone(), words)),
        // As Ansible has it.
        None if !words.is_empty() => Ok(("command".to_owned(), words)),
        None => Err(wrong(
            "no module is named",
            "`evenkeel exec PATTERN MODULE [ARGS]`; `evenkeel modules` lists them",
        )),
    }
}

/// The arguments: a map of JSON or YAML, `key=value` words, or a command line.
fn arguments(module: &str, words: &[String]) -> Result<Value, Exit> {
    let short = module.rsplit('.').next().unwrap_or(module);
    match words {
        [] => Ok(Value::Null),
        [text] if text.trim_start().starts_with('{') && !text.trim_start().starts_with("{{") => {
            serde_yaml::from_str::<Map<String, Value>>(text)
                .map(Value::Object)
                .map_err(|error| {
                    wrong(
                        &format!("the arguments are no map of JSON or YAML: {error}"),
                        "`'{\"path\": \"/tmp/x\", \"state\": \"absent\"}'`, or `path=/tmp/x state=absent`",
                    )
                })
        }
        // In one text there may be quotes; words came apart in the shell.
        [text] => Ok(text.as_str().into()),
        words if short == "shell" || short == "raw" => Ok(words.join(" ").into()),
        words if COMMANDS.contains(&short) => {
            let joined = shlex::try_join(words.iter().map(String::as_str));
            joined
                .map(Value::from)
                .map_err(|_| wrong("a word of the command has a NUL in it", "leave it out"))
        }
        words => pairs(words).map(Value::Object),
    }
}

fn pairs(words: &[String]) -> Result<Map<String, Value>, Exit> {
    let mut map = Map::new();
    for word in words {
        let Some((name, value)) = word.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(wrong(
                &format!("`{}` is no `key=value`", crate::printable::line(word)),
                "arguments are `key=value` words, or one map of JSON or YAML",
            ));
        };
        if map.insert(name.to_owned(), value.into()).is_some() {
            return Err(wrong(
                &format!("`{}` is given twice", crate::printable::line(name)),
                "leave one out",
            ));
        }
    }
    Ok(map)
}
