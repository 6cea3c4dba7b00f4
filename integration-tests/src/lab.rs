//! Real hosts on this machine: systemd as the first process, an address, sshd and sudo each, booted in a second.
//!
//! ```no_run
//! use evenkeel_integration_tests::{Lab, need_lab};
//!
//! if need_lab() {
//!     let lab = Lab::plan().host("web").host("db").boot();
//!     lab.tasks("
//! - name: greet
//!   copy: {dest: /etc/greeting, content: hello}
//!   become: true
//! ");
//!     lab.run(&[]).ok().changed(2);
//!     assert_eq!(lab.host("web").sh("cat /etc/greeting"), "hello");
//!     lab.host("db").power_off();
//!     lab.run(&[]).status(4);
//! }
//! ```
//!
//! A lab is a [`Scratch`] directory besides, whose programs run in the lab's network: there is no way out of it.
//! Each host has the users `root` and `deploy`, who log in with the lab's key, and `oper`, who does with the
//! key or the password `oper-pw`; `deploy` may use sudo and is not asked, `oper` is asked.
//!
//! What has [`MARK`] in it is a secret: while the lab is up it is watched for in argument lists, and at the end in logs and
//! in files that others may read.
//!
//! When a lab is dropped, it first looks at what its runs left behind on the hosts and here, then it ends, and then it
//! looks again: no process, no mount, no control group is left.

mod ansible;
mod boot;
mod fault;
mod host;
mod leftovers;
mod plan;
mod vigil;

use std::{
    ffi::OsStr,
    ops::Deref,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use self::vigil::Vigil;
pub(crate) use self::vigil::is_marked;
pub use self::{
    ansible::{need_ansible, need_collection},
    fault::Line,
    host::Host,
    plan::Plan,
    vigil::MARK,
};
use crate::{Ended, Scratch};

/// Hosts that run.
#[derive(Debug)]
pub struct Lab {
    scratch: Scratch,
    /// What the hosts are made of and write their logs to.
    dir: TempDir,
    hosts: Vec<Host>,
    /// Lives as long as its stdin is open.
    up: Child,
    /// The namespaces of the lab, to find what is left in them.
    namespaces: Vec<PathBuf>,
    /// Whether runs may leave something behind.
    quiet: bool,
    /// Looks for secrets.
    vigil: Vigil,
}

impl Lab {
    /// A lab that has no hosts yet.
    pub fn plan() -> Plan {
        Plan::default()
    }

    /// Where images are kept, and what tests fetch once.
    pub fn cache() -> PathBuf {
        boot::cache()
    }

    /// A host by its name.
    #[track_caller]
    pub fn host(&self, name: &str) -> &Host {
        let host = self.hosts.iter().find(|host| host.name() == name);
        host.unwrap_or_else(|| panic!("this lab has no host `{name}`"))
    }

    /// All hosts, in the order of the plan.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Where it keeps what the hosts are made of, and their logs.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Plans these tasks on all hosts, does them, and runs them again: the plan foretold the run, and the second run
    /// finds nothing to change in one exchange with each host. Gives the first run.
    #[track_caller]
    pub fn settles(&self, tasks: &str) -> Ended {
        self.tasks(tasks);
        let plan = self.plan(&[]).ok();
        let run = self.run(&[]).ok();
        plan.foretells(&run);
        let hosts = self.hosts.len().try_into().unwrap();
        self.run(&[]).ok().changed(0).exchanges(hosts);
        run
    }

    /// It does not matter what is left on its hosts as it ends.
    pub fn keep_quiet(&mut self) {
        self.quiet = true;
    }

    /// The system's `ssh` to a host, which gives up after a few seconds.
    pub fn ssh(&self, host: &str, line: &str) -> Ended {
        let mut command = self.within("timeout");
        command.args(["60", "ssh"]);
        command.arg("-F").arg(self.path(".ssh/config"));
        command.args(["-o", "ConnectTimeout=3", "-o", "ServerAliveInterval=5"]);
        command.args([host, line]).stdin(Stdio::null());
        Ended::new(&command.output().unwrap())
    }
}

impl Deref for Lab {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.scratch
    }
}

/// A program of this machine in the network of a lab.
pub(crate) fn within(init: u32, program: &OsStr) -> Command {
    let mut command = Command::new("nsenter");
    command.args(["--net", "--target", &init.to_string(), "--"]);
    command.arg(program);
    command
}
