//! Files of a configuration, and one more that is not on disk: what arguments say, before what
//! the files say.

use std::{
    io,
    path::{self, PathBuf},
};

use evenkeel_ssh::config::{DiskFiles, Files};

use super::args::Said;

/// The name under which arguments appear in messages.
const NAME: &str = "arguments of ssh in the inventory";

/// The files of this machine, with that one among them.
pub(super) struct Overlay(String);

impl Overlay {
    pub(super) fn new(said: &Said, home: &str) -> Self {
        let mut text = said.lines.join("\n");
        match &said.file {
            Some(file) => {
                // Included names would be looked for beside the user's own configuration.
                let file = if file.starts_with('~') {
                    PathBuf::from(file)
                } else {
                    path::absolute(file).unwrap_or_else(|_| PathBuf::from(file))
                };
                text += &format!("\nInclude \"{}\"\n", file.display());
            }
            None => {
                text += &format!("\nInclude \"{home}/.ssh/config\"\nInclude /etc/ssh/ssh_config\n");
            }
        }
        Self(text)
    }

    pub(super) fn name() -> &'static str {
        NAME
    }
}

impl Files for Overlay {
    fn read(&self, path: &str) -> io::Result<Option<String>> {
        if path == NAME {
            return Ok(Some(self.0.clone()));
        }
        DiskFiles.read(path)
    }

    fn glob(&self, pattern: &str) -> io::Result<Vec<String>> {
        DiskFiles.glob(pattern)
    }
}
