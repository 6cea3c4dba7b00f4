//! What rights can be on, and which there are.

use evenkeel_engine::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::Args;
use crate::many::comma_list;

/// What rights are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Tables and views.
    #[default]
    Table,
    /// Sequences.
    Sequence,
    /// Functions.
    Function,
    /// Schemas.
    Schema,
    /// Databases.
    Database,
    /// What roles will make.
    DefaultPrivs,
    /// Members of roles.
    Group,
}

/// All in the schema.
pub(super) const ALL_IN_SCHEMA: &str = "ALL_IN_SCHEMA";

/// Words of rights, in upper case.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let words = comma_list(deserializer)?;
    let name = |word: String| match word.to_uppercase().as_str() {
        "ALL PRIVILEGES" => "ALL".to_owned(),
        "TEMP" => "TEMPORARY".to_owned(),
        upper => upper.to_owned(),
    };
    let mut names: Vec<String> = words.into_iter().map(name).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// What is made: the word of `ALTER DEFAULT PRIVILEGES`, the letter of the catalog, the kind of its rights.
pub(super) fn made(word: &str) -> Option<(&'static str, char)> {
    let all = [("TABLES", 'r'), ("SEQUENCES", 'S'), ("FUNCTIONS", 'f'), ("TYPES", 'T'), ("SCHEMAS", 'n')];
    all.into_iter().find(|(name, _)| *name == word.to_uppercase())
}

/// The rights there are on something; by its letter.
pub(super) fn rights(letter: char, version: u32) -> Vec<&'static str> {
    match letter {
        'r' => {
            let mut all = vec!["DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE"];
            if version >= 170_000 {
                all.push("MAINTAIN");
            }
            all
        }
        'S' => vec!["SELECT", "UPDATE", "USAGE"],
        'f' => vec!["EXECUTE"],
        'T' => vec!["USAGE"],
        'n' => vec!["CREATE", "USAGE"],
        'd' => vec!["CONNECT", "CREATE", "TEMPORARY"],
        _ => vec!["MEMBER"],
    }
}

impl Kind {
    /// The letter of its rights; none where it depends on the object.
    pub(super) fn letter(self) -> Option<char> {
        match self {
            Self::Table => Some('r'),
            Self::Sequence => Some('S'),
            Self::Function => Some('f'),
            Self::Schema => Some('n'),
            Self::Database => Some('d'),
            Self::Group => Some('m'),
            Self::DefaultPrivs => None,
        }
    }
}

/// Refuses what cannot be meant.
pub(super) fn check(args: &Args) -> Result<(), Refusal> {
    let refuse = |what: String, help: &str| Err(Refusal::new(what).help(help));
    if args.roles.is_empty() {
        return refuse("`roles` is empty".to_owned(), "name the roles that have the rights, or `PUBLIC`");
    }
    if args.objs.is_empty() && args.kind != Kind::Database {
        return refuse("`objs` is missing".to_owned(), "name what the rights are on");
    }
    let in_schema = matches!(args.kind, Kind::Table | Kind::Sequence | Kind::Function);
    if !in_schema && args.objs.iter().any(|name| name == ALL_IN_SCHEMA) {
        return refuse(
            "`objs: ALL_IN_SCHEMA` needs `type: table`, `sequence` or `function`".to_owned(),
            "name the things themselves",
        );
    }
    if args.schema.is_some() && !in_schema && args.kind != Kind::DefaultPrivs {
        return refuse("`schema` has no meaning for this `type`".to_owned(), "leave it out");
    }
    let public = args.roles.iter().any(|role| role.eq_ignore_ascii_case("public"));
    if public && (args.grant_option == Some(true) || args.kind == Kind::Group) {
        return refuse("`PUBLIC` can neither pass rights on nor be a member".to_owned(), "name roles");
    }
    if in_schema || args.kind == Kind::DefaultPrivs || args.kind == Kind::Schema {
        if args.login_db.is_none() {
            return refuse(
                "`login_db` is missing: these rights are in one database".to_owned(),
                "name the database they are in",
            );
        }
    }
    if args.kind == Kind::Group {
        return match args.privs.as_slice() {
            [] => Ok(()),
            _ => refuse("`privs` has no meaning with `type: group`".to_owned(), "leave it out"),
        };
    }
    check_words(args)
}

fn check_words(args: &Args) -> Result<(), Refusal> {
    if args.privs.is_empty() {
        return Err(Refusal::new("`privs` is missing").help("name the rights, or `ALL`"));
    }
    if args.kind != Kind::DefaultPrivs && !args.target_roles.is_empty() {
        return Err(Refusal::new("`target_roles` needs `type: default_privs`"));
    }
    if args.kind == Kind::DefaultPrivs && args.target_roles.is_empty() {
        return Err(Refusal::new("`type: default_privs` needs `target_roles`")
            .help("name the roles that will make the things: it has no effect on what others make"));
    }
    if args.kind == Kind::Function {
        let whole = |name: &str| name == ALL_IN_SCHEMA || name.find('(').is_some_and(|at| at > 0) && name.ends_with(')');
        if let Some(name) = args.objs.iter().find(|name| !whole(name)) {
            return Err(Refusal::new(format!("`objs: {name}` is no function with its arguments"))
                .help("write them, with colons between: `f(int:text)`, or `f()`"));
        }
    }
    let letters: Vec<char> = match args.kind.letter() {
        Some(letter) => vec![letter],
        None => {
            let letter = |name: &String| made(name).map(|(_, letter)| letter).ok_or_else(|| {
                Refusal::new(format!("`objs: {name}` is nothing of `default_privs`"))
                    .help("there are `TABLES`, `SEQUENCES`, `FUNCTIONS`, `TYPES`, `SCHEMAS`")
            });
            args.objs.iter().map(letter).collect::<Result<_, _>>()?
        }
    };
    for letter in letters {
        let known = rights(letter, u32::MAX);
        if letter == 'n' && args.schema.is_some() {
            return Err(Refusal::new("`SCHEMAS` are in no `schema`").help("leave it out"));
        }
        if let Some(word) = args.privs.iter().find(|word| *word != "ALL" && !known.contains(&word.as_str())) {
            return Err(Refusal::new(format!("there is no right `{word}` on this"))
                .help(format!("there are `{}` and `ALL`", known.join("`, `"))));
        }
    }
    Ok(())
}
