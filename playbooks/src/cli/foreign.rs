//! Options of Ansible that have no meaning here: what hands type is answered, each with what to do instead.

use clap::Args;

/// Options of Ansible that are told about.
#[derive(Clone, Debug, Default, Args)]
pub struct Foreign {
    /// Nothing to do: facts are kept nowhere.
    #[arg(long, hide = true)]
    pub flush_cache: bool,
    /// Refused.
    #[arg(long, hide = true)]
    pub step: bool,
    /// Refused.
    #[arg(long, hide = true, value_name = "TASK")]
    pub start_at_task: Option<String>,
    /// Refused.
    #[arg(short = 'M', long, hide = true, value_name = "PATH")]
    pub module_path: Vec<String>,
    /// Refused.
    #[arg(long, hide = true, value_name = "OPTIONS", allow_hyphen_values = true)]
    pub ssh_common_args: Option<String>,
    /// Refused.
    #[arg(long, hide = true, value_name = "OPTIONS", allow_hyphen_values = true)]
    pub ssh_extra_args: Option<String>,
    /// Refused.
    #[arg(long, hide = true, value_name = "OPTIONS", allow_hyphen_values = true)]
    pub sftp_extra_args: Option<String>,
    /// Refused.
    #[arg(long, hide = true, value_name = "OPTIONS", allow_hyphen_values = true)]
    pub scp_extra_args: Option<String>,
}

/// What to do instead of options for ssh.
const SSH: &str = "write it into `~/.ssh/config`, or into a file that `--ssh-config FILE` names";

impl Foreign {
    /// An option that was given and is refused, with what to do instead.
    pub fn refused(&self) -> Option<(&'static str, &'static str)> {
        let all = [
            (
                "--step",
                self.step,
                "`evenkeel plan` shows beforehand all that would be done, and `--in-order` does one task after the other",
            ),
            (
                "--start-at-task",
                self.start_at_task.is_some(),
                "run the playbook whole: what is in its state is not done again; `--tags` selects tasks",
            ),
            (
                "--module-path",
                !self.module_path.is_empty(),
                "modules are part of a program: docs/modules.md says how one of your own is added",
            ),
            ("--ssh-common-args", self.ssh_common_args.is_some(), SSH),
            ("--ssh-extra-args", self.ssh_extra_args.is_some(), SSH),
            (
                "--sftp-extra-args",
                self.sftp_extra_args.is_some(),
                "leave it away: files go over the connection itself, without sftp",
            ),
            (
                "--scp-extra-args",
                self.scp_extra_args.is_some(),
                "leave it away: files go over the connection itself, without scp",
            ),
        ];
        let given = all.into_iter().find(|(_, given, _)| *given);
        given.map(|(name, _, instead)| (name, instead))
    }
}
