//! Arguments of `ssh` in an inventory (`ansible_ssh_common_args` and the like), as lines of its
//! configuration: what they say counts before the files.

/// What arguments say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    /// Lines of a configuration.
    pub(super) lines: Vec<String>,
    /// `-F`: the file that is read instead of the usual ones.
    pub(super) file: Option<String>,
}

/// Options that change nothing here: how ssh shares connections, talks and asks is ours to decide.
const IDLE: [&str; 9] = ["-q", "-v", "-vv", "-vvv", "-T", "-x", "-n", "-tt", "-C"];

/// Keywords that are as idle.
const IDLE_KEYWORDS: [&str; 7] = [
    "controlmaster",
    "controlpersist",
    "controlpath",
    "batchmode",
    "loglevel",
    "compression",
    "requesttty",
];

/// Reads arguments; the error names the one that cannot be followed.
pub(super) fn read(text: &str) -> Result<Said, String> {
    let words = shlex::split(text).ok_or_else(|| format!("`{text}`: a quote is not closed"))?;
    let mut said = Said::default();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if IDLE.contains(&word.as_str()) {
            continue;
        }
        let (option, glued) = word.split_at_checked(2).unwrap_or((&word, ""));
        let keyword = match option {
            "-o" | "-F" => "",
            "-i" => "IdentityFile",
            "-J" => "ProxyJump",
            "-l" => "User",
            "-p" => "Port",
            "-4" => {
                said.lines.push("AddressFamily inet".to_owned());
                continue;
            }
            "-6" => {
                said.lines.push("AddressFamily inet6".to_owned());
                continue;
            }
            "-A" => {
                said.lines.push("ForwardAgent yes".to_owned());
                continue;
            }
            _ => return Err(format!("`{word}`")),
        };
        let value = match glued {
            "" => words
                .next()
                .ok_or_else(|| format!("`{word}` lacks its value"))?,
            glued => glued.to_owned(),
        };
        match option {
            "-F" => said.file = Some(value),
            "-o" => said.lines.extend(option_line(&value)),
            _ => said.lines.push(format!("{keyword} {value}")),
        }
    }
    Ok(said)
}

/// `KEYWORD=VALUE` as a line; nothing if it is idle.
fn option_line(text: &str) -> Option<String> {
    let (keyword, value) = text.split_once(['=', ' ']).unwrap_or((text, ""));
    let idle = IDLE_KEYWORDS.contains(&keyword.trim().to_lowercase().as_str());
    (!idle).then(|| format!("{} {}", keyword.trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        let said = read("-o StrictHostKeyChecking=no -oUserKnownHostsFile=/dev/null -J a,b -q");
        let lines = [
            "StrictHostKeyChecking no",
            "UserKnownHostsFile /dev/null",
            "ProxyJump a,b",
        ];
        assert_eq!(said.unwrap().lines, lines);
        let said = read("-C -o ControlMaster=auto -o ControlPersist=60s -F /x").unwrap();
        assert_eq!((said.lines.len(), said.file.as_deref()), (0, Some("/x")));
        let said = read(r#"-o ProxyCommand="ssh -W %h:%p -q gate""#).unwrap();
        assert_eq!(said.lines, ["ProxyCommand ssh -W %h:%p -q gate"]);
    }

    #[test]
    fn what_cannot_be_followed_is_named() {
        assert_eq!(read("-D 1080"), Err("`-D`".to_owned()));
        assert_eq!(read("-J"), Err("`-J` lacks its value".to_owned()));
        assert!(read("-o 'x").is_err());
    }
}
