//! What rights can be on, and which there are.

use evenkeel_engine::{Refusal, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::Args;
use crate::{
    many::comma_list,
    psql::{Named, Sort},
};

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
    /// Procedures.
    Procedure,
    /// Types and domains.
    Type,
    /// Schemas.
    Schema,
    /// Languages.
    Language,
    /// Foreign data wrappers.
    ForeignDataWrapper,
    /// Foreign servers.
    ForeignServer,
    /// Databases.
    Database,
    /// Tablespaces.
    Tablespace,
    /// Parameters of the server (since PostgreSQL 15).
    Parameter,
    /// What roles will make.
    DefaultPrivs,
    /// Members of roles.
    Group,
}

/// What a kind is made of.
pub(super) enum Shape {
    /// It stands in schemas.
    Sort(Sort),
    /// It does not.
    Named(Named),
    Database,
    Default,
    Group,
}

impl Kind {
    pub(super) fn shape(self) -> Shape {
        match self {
            Self::Table => Shape::Sort(Sort::Table),
            Self::Sequence => Shape::Sort(Sort::Sequence),
            Self::Function => Shape::Sort(Sort::Function),
            Self::Procedure => Shape::Sort(Sort::Procedure),
            Self::Type => Shape::Sort(Sort::Type),
            Self::Schema => Shape::Named(Named::Schema),
            Self::Language => Shape::Named(Named::Language),
            Self::ForeignDataWrapper => Shape::Named(Named::Wrapper),
            Self::ForeignServer => Shape::Named(Named::Server),
            Self::Tablespace => Shape::Named(Named::Tablespace),
            Self::Parameter => Shape::Named(Named::Parameter),
            Self::Database => Shape::Database,
            Self::DefaultPrivs => Shape::Default,
            Self::Group => Shape::Group,
        }
    }

    /// Whether there is one of them for all databases of the server.
    fn shared(self) -> bool {
        matches!(
            self,
            Self::Database | Self::Tablespace | Self::Parameter | Self::Group
        )
    }
}

/// All in the schema.
pub(super) const ALL_IN_SCHEMA: &str = "ALL_IN_SCHEMA";

/// Names with commas between, or a list of them; a comma between brackets divides nothing.
pub(super) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let text = |value: &Value| {
        value
            .as_text()
            .ok_or_else(|| D::Error::custom("it is a name, or a list of names"))
    };
    let value = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(Vec::new()),
        Value::Seq(items) => return items.iter().map(text).collect(),
        one => text(&one)?,
    };
    let mut depth = 0_usize;
    let parts = value.split(|letter: char| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    });
    let parts = parts.map(|part| part.trim().to_owned());
    Ok(parts.filter(|part| !part.is_empty()).collect())
}

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

/// What is made: the word of `ALTER DEFAULT PRIVILEGES`, and the letter of its rights.
const MADE: [(&str, char); 5] = [
    ("TABLES", 'r'),
    ("SEQUENCES", 's'),
    ("FUNCTIONS", 'f'),
    ("TYPES", 'T'),
    ("SCHEMAS", 'n'),
];

/// What a word of `objs` of `default_privs` means; in a schema there are no schemas.
pub(super) fn made(word: &str, in_schema: bool) -> Vec<(&'static str, char)> {
    let upper = word.to_uppercase();
    let name = if upper == "ROUTINES" {
        "FUNCTIONS"
    } else {
        &upper
    };
    let all = name == "ALL_DEFAULT";
    let wanted =
        |(made, letter): &(&str, char)| *made == name || all && !(in_schema && *letter == 'n');
    MADE.into_iter().filter(wanted).collect()
}

/// The rights there are on something; by its letter.
pub(super) fn rights(letter: char, version: u32) -> Vec<&'static str> {
    match letter {
        'r' => {
            let mut all = vec![
                "DELETE",
                "INSERT",
                "REFERENCES",
                "SELECT",
                "TRIGGER",
                "TRUNCATE",
                "UPDATE",
            ];
            if version >= 170_000 {
                all.push("MAINTAIN");
            }
            all
        }
        's' => vec!["SELECT", "UPDATE", "USAGE"],
        'f' => vec!["EXECUTE"],
        'T' | 'l' | 'F' | 'S' => vec!["USAGE"],
        'n' => vec!["CREATE", "USAGE"],
        't' => vec!["CREATE"],
        'd' => vec!["CONNECT", "CREATE", "TEMPORARY"],
        'p' => vec!["ALTER SYSTEM", "SET"],
        _ => vec!["MEMBER"],
    }
}

fn refuse(what: impl Into<String>, help: &str) -> Result<(), Refusal> {
    Err(Refusal::new(what.into()).help(help))
}

/// Refuses what cannot be meant.
pub(super) fn check(args: &Args) -> Result<(), Refusal> {
    let sort = matches!(args.kind.shape(), Shape::Sort(_));
    let all = args.objs.iter().any(|name| name == ALL_IN_SCHEMA);
    if args.roles.is_empty() {
        return refuse(
            "`roles` is empty",
            "name the roles that have the rights, or `PUBLIC`",
        );
    }
    if args.objs.is_empty() && (args.kind != Kind::Database || args.login_db.is_none()) {
        return refuse("`objs` is missing", "name what the rights are on");
    }
    if all && (!sort || args.kind == Kind::Type) {
        return refuse(
            "`objs: ALL_IN_SCHEMA` needs `type: table`, `sequence`, `function` or `procedure`",
            "name the things themselves",
        );
    }
    if all && args.objs.len() > 1 {
        return refuse(
            "`ALL_IN_SCHEMA` is all there is: nothing can stand beside it",
            "leave the others out",
        );
    }
    if args.schema.is_some() && !sort && args.kind != Kind::DefaultPrivs {
        return refuse("`schema` has no meaning for this `type`", "leave it out");
    }
    let public = args
        .roles
        .iter()
        .any(|role| role.eq_ignore_ascii_case("public"));
    let may = args.grant_option == Some(true) && args.state == super::State::Present;
    if public && (may || args.kind == Kind::Group) {
        return refuse(
            "`PUBLIC` can neither pass rights on nor be a member",
            "name roles",
        );
    }
    if !args.kind.shared() && args.login_db.is_none() {
        return refuse(
            "`login_db` is missing: these rights are in one database",
            "name the database they are in",
        );
    }
    if args.kind != Kind::DefaultPrivs && !args.target_roles.is_empty() {
        return refuse("`target_roles` needs `type: default_privs`", "leave it out");
    }
    if args.kind == Kind::Group {
        return match args.privs.as_slice() {
            [] => Ok(()),
            _ => refuse("`privs` has no meaning with `type: group`", "leave it out"),
        };
    }
    if args.privs.is_empty() {
        return refuse("`privs` is missing", "name the rights, or `ALL`");
    }
    if args.kind == Kind::DefaultPrivs && args.target_roles.is_empty() {
        return refuse(
            "`type: default_privs` needs `target_roles`",
            "name the roles that will make the things: it has no effect on what others make",
        );
    }
    check_signatures(args)?;
    check_words(args)
}

fn check_signatures(args: &Args) -> Result<(), Refusal> {
    if !matches!(args.kind, Kind::Function | Kind::Procedure) {
        return Ok(());
    }
    let whole = |name: &str| {
        name == ALL_IN_SCHEMA || name.find('(').is_some_and(|at| at > 0) && name.ends_with(')')
    };
    match args.objs.iter().find(|name| !whole(name)) {
        None => Ok(()),
        Some(name) => refuse(
            format!("`objs: {name}` has no arguments"),
            "write them behind it, as `f(int:text)` or `f()`: there may be many of one name",
        ),
    }
}

fn check_words(args: &Args) -> Result<(), Refusal> {
    let mut letters = Vec::new();
    match args.kind.shape() {
        Shape::Sort(sort) => letters.push(sort.letter()),
        Shape::Named(named) => letters.push(named.letter()),
        Shape::Database => letters.push('d'),
        Shape::Group => {}
        Shape::Default => {
            for name in &args.objs {
                let made = made(name, args.place().is_some());
                if made.is_empty() {
                    return refuse(
                        format!("`objs: {name}` is nothing of `default_privs`"),
                        "there are `TABLES`, `SEQUENCES`, `FUNCTIONS`, `TYPES`, `SCHEMAS` and `ALL_DEFAULT`",
                    );
                }
                letters.extend(made.into_iter().map(|(_, letter)| letter));
            }
            if args.place().is_some() && letters.contains(&'n') {
                return refuse("`SCHEMAS` are in no `schema`", "leave it out");
            }
        }
    }
    for letter in letters {
        let known = rights(letter, u32::MAX);
        if let Some(word) = args
            .privs
            .iter()
            .find(|word| *word != "ALL" && !known.contains(&word.as_str()))
        {
            return refuse(
                format!("there is no right `{word}` on this"),
                &format!("there are `{}` and `ALL`", known.join("`, `")),
            );
        }
    }
    Ok(())
}
