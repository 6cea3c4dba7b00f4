//! What hosts a lab shall have.

use super::Lab;

/// A lab that is not booted yet.
#[derive(Debug)]
pub struct Plan {
    pub(super) hosts: Vec<Planned>,
    disk: String,
    packages: Vec<String>,
    rhel: bool,
}

/// A host to be.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) name: String,
    /// The size of its disk.
    pub(super) disk: String,
    /// What it has beside the packages that all hosts have.
    pub(super) packages: Vec<String>,
    /// Whether it answers as Red Hat's hosts do.
    pub(super) rhel: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            disk: "2g".to_owned(),
            packages: Vec::new(),
            rhel: false,
        }
    }
}

impl Plan {
    /// One host more. Its name has at most 13 letters.
    pub fn host(mut self, name: &str) -> Self {
        assert!(name.len() <= 13, "`{name}` is too long for a host of a lab");
        self.hosts.push(Planned {
            name: name.to_owned(),
            disk: self.disk.clone(),
            packages: self.packages.clone(),
            rhel: self.rhel,
        });
        self
    }

    /// That many hosts more, named `h1`, `h2` and so on.
    pub fn hosts(self, count: usize) -> Self {
        (1..=count).fold(self, |plan, number| plan.host(&format!("h{number}")))
    }

    /// The size of the disks of the hosts that follow, such as `64m`. A disk is memory of this machine, as much as
    /// is written.
    pub fn disk(mut self, size: &str) -> Self {
        size.clone_into(&mut self.disk);
        self
    }

    /// Debian packages that the hosts that follow have, beside those that all have.
    pub fn packages(mut self, names: &[&str]) -> Self {
        self.packages = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// The hosts that follow have a server of PostgreSQL. A set of packages is one image, built once: tests share it.
    pub fn postgresql(self) -> Self {
        self.packages(&["postgresql", "bzip2", "xz-utils"])
    }

    /// The hosts that follow have Python with pip, git, and what unpacks archives, in one image as well.
    pub fn tools(self) -> Self {
        self.packages(&[
            "bzip2",
            "git",
            "openssh-client",
            "python3",
            "python3-pip",
            "python3-venv",
            "unzip",
            "xz-utils",
        ])
    }

    /// The hosts that follow answer as Red Hat's do: they have dnf and rpm, and a repository of packages of our own
    /// (`lab/rhel-packages` says which).
    pub fn rhel(mut self) -> Self {
        self.rhel = true;
        self
    }

    /// Boots them all, and returns when each has come up.
    pub fn boot(self) -> Lab {
        Lab::boot(&self)
    }
}
