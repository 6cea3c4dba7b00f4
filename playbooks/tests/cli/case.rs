//! A case: files in a directory of its own, a command line, and all that it must print.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// Files, a command line, and what is expected of it. Silence is expected where nothing is said.
pub(crate) struct Case {
    dir: TempDir,
    args: Vec<String>,
    env: Vec<(String, String)>,
    stdout: Option<String>,
    stderr: Option<String>,
    status: i32,
}

/// What came of a case.
pub(crate) struct Ended {
    dir: TempDir,
    /// All of stdout, as it came.
    pub(crate) stdout: String,
    /// All of stderr.
    pub(crate) stderr: String,
}

impl Case {
    /// A case with this command line.
    pub(crate) fn new(args: &[&str]) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            args: args.iter().map(ToString::to_string).collect(),
            env: Vec::new(),
            stdout: Some(String::new()),
            stderr: Some(String::new()),
            status: 0,
        }
    }

    /// A file in the case's directory.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// A variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// All of stdout.
    pub(crate) fn stdout(mut self, text: &str) -> Self {
        self.stdout = Some(text.to_owned());
        self
    }

    /// Stdout is looked at by the test itself.
    pub(crate) fn any_stdout(mut self) -> Self {
        self.stdout = None;
        self
    }

    /// All of stderr.
    pub(crate) fn stderr(mut self, text: &str) -> Self {
        self.stderr = Some(text.to_owned());
        self
    }

    /// Stderr is looked at by the test itself.
    pub(crate) fn any_stderr(mut self) -> Self {
        self.stderr = None;
        self
    }

    /// A path in the case's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The exit status.
    pub(crate) fn status(mut self, status: i32) -> Self {
        self.status = status;
        self
    }

    /// Runs the program and compares.
    pub(crate) fn run(self) -> Ended {
        let output = self.program().output().unwrap();
        let all = shown(&output);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let root = self.dir.path().to_owned();
        if let Some(wanted) = &self.stdout {
            assert_eq!(&normal(&stdout, &root), wanted, "stdout; all of it:\n{all}");
        }
        if let Some(wanted) = &self.stderr {
            assert_eq!(&normal(&stderr, &root), wanted, "stderr; all of it:\n{all}");
        }
        assert_eq!(
            output.status.code(),
            Some(self.status),
            "status; all of it:\n{all}"
        );
        Ended {
            dir: self.dir,
            stdout,
            stderr,
        }
    }

    /// The program, with an environment that depends on nobody.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
        command.args(&self.args).current_dir(self.dir.path());
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command.env("HOME", self.dir.path()).env("COLUMNS", "100");
        command.env("XDG_STATE_HOME", self.dir.path().join(".state"));
        command.env_remove("RUST_BACKTRACE");
        for (name, value) in &self.env {
            command.env(name, value);
        }
        command
    }
}

impl Ended {
    /// Another command line in the same directory.
    pub(crate) fn then(self, args: &[&str]) -> Case {
        Case {
            dir: self.dir,
            ..Case::new(args)
        }
    }

    /// A path in the case's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

/// All that a program said.
pub(crate) fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    format!(
        "{}\n---- stdout\n{stdout}---- stderr\n{stderr}----",
        output.status
    )
}

/// Directories and lengths of time, which differ from run to run, by words.
fn normal(text: &str, dir: &Path) -> String {
    let text = text.replace(dir.to_str().unwrap(), "[DIR]");
    let time = regex::Regex::new(r"\b\d+(\.\d)? m?s\b").unwrap();
    time.replace_all(&text, "[TIME]").into_owned()
}
