//! Words of `evenkeel exec`.

use clap::Args;

use super::{Connection, Foreign, Privilege, Reporting, Vault};

/// Do one task, ad hoc.
#[derive(Debug, Args)]
#[command(
    after_help = "Arguments are `key=value` words, one map of JSON or YAML, or for command, shell, script and raw a \
                  command line. What begins with a dash comes after `--`: evenkeel exec web command -- ls -l"
)]
pub struct Exec {
    /// Which hosts.
    #[arg(value_name = "PATTERN")]
    pub pattern: String,
    /// The module.
    #[arg(value_name = "MODULE", conflicts_with = "module_name")]
    pub module: Option<String>,
    /// Its arguments.
    #[arg(value_name = "ARGS")]
    pub args: Vec<String>,
    /// The module, as Ansible has it.
    #[arg(short = 'm', long, value_name = "MODULE", hide = true)]
    pub module_name: Option<String>,
    /// Its arguments, as Ansible has it.
    #[arg(short = 'a', long = "args", value_name = "ARGS", hide = true)]
    pub module_args: Option<String>,
    /// An inventory file or directory, or `host1,host2,`; repeatable. Without one: `localhost`.
    #[arg(
        short,
        long,
        alias = "inventory-file",
        value_name = "PATH",
        help_heading = "Selection"
    )]
    pub inventory: Vec<String>,
    /// Only these hosts.
    #[arg(short, long, value_name = "PATTERN", help_heading = "Selection")]
    pub limit: Option<String>,
    /// Variables of the highest precedence: `K=V`, a JSON map or `@FILE`; repeatable.
    #[arg(short, long, value_name = "VARS", help_heading = "Selection")]
    pub extra_vars: Vec<String>,
    /// Change nothing, only say what would be changed.
    #[arg(short = 'C', long, help_heading = "Run")]
    pub check: bool,
    /// Show differences of contents.
    #[arg(short = 'D', long, help_heading = "Run")]
    pub diff: bool,
    /// How many hosts at once [default: 200].
    #[arg(short, long, value_name = "N", help_heading = "Run")]
    pub forks: Option<usize>,
    /// How long to wait while another run works on a host.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 600,
        help_heading = "Run"
    )]
    pub lock_wait: u64,
    /// Only list the hosts.
    #[arg(long, conflicts_with = "report", help_heading = "Run")]
    pub list_hosts: bool,
    /// Privilege.
    #[command(flatten)]
    pub privilege: Privilege,
    /// Connections.
    #[command(flatten)]
    pub connection: Connection,
    /// Secrets.
    #[command(flatten)]
    pub vault: Vault,
    /// How to report.
    #[command(flatten)]
    pub reporting: Reporting,
    /// Options of Ansible that are told about.
    #[command(flatten)]
    pub foreign: Foreign,
}
