//! The command line. Help texts are the doc comments.

mod exec;
mod foreign;
mod vault;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use exec::Exec;
pub use foreign::Foreign;
pub use vault::{Create, Decrypt, Edit, Encrypt, EncryptString, Rekey, Vault, VaultCommand, View};

/// Brings machines to a described state, and keeps them there.
#[derive(Debug, Parser)]
#[command(
    name = "evenkeel",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Exit status: 0 all hosts are in their state · 1 a bug of evenkeel · 2 a task failed · \
                  3 `plan --exit-code` and there are changes · 4 a host could not be reached · \
                  5 the playbook, the inventory or the command line is wrong · 130 interrupted"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Bring hosts to the described state.
    Run(Run),
    /// Say what `run` would change and why; changes nothing (the same as `run --check --diff`).
    Plan(Plan),
    /// Load and check everything; touches no host.
    Validate(Validate),
    /// Show the graph of tasks: which waits for which, and why; touches no host.
    Graph(Graph),
    /// Say for each task whether it would run, why, and what it waits for; changes nothing.
    Explain(Explain),
    /// Show which hosts there are, their groups and their variables.
    Inventory(Inventory),
    /// Do one task, ad hoc.
    Exec(Exec),
    /// Show what is known about hosts: asks them, changes nothing.
    Facts(Facts),
    /// Show or forget what earlier runs recorded on a host.
    #[command(subcommand)]
    Ledger(Ledger),
    /// Encrypt, decrypt, show and change files and values that are encrypted.
    #[command(subcommand)]
    Vault(VaultCommand),
    /// List the modules, or show the manual of one.
    Modules(Modules),
    /// Print the JSON Schema of playbooks, for editors.
    Schema(Schema),
    /// Print a completion script for a shell.
    Completions(Completions),
}

/// Bring hosts to the described state.
#[derive(Debug, Args)]
pub struct Run {
    /// Which playbooks, for which hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// Change nothing, only say what would be changed.
    #[arg(short = 'C', long, help_heading = "Run")]
    pub check: bool,
    /// Show differences of contents.
    #[arg(short = 'D', long, help_heading = "Run")]
    pub diff: bool,
    /// How to run.
    #[command(flatten)]
    pub execution: Execution,
    /// How to report.
    #[command(flatten)]
    pub reporting: Reporting,
}

/// Say what `run` would change and why; changes nothing.
#[derive(Debug, Args)]
pub struct Plan {
    /// Which playbooks, for which hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// Nothing to add: a plan is a check.
    #[arg(short = 'C', long, hide = true)]
    pub check: bool,
    /// Nothing to add: a plan shows differences.
    #[arg(short = 'D', long, hide = true)]
    pub diff: bool,
    /// End with status 3 if there are changes or unknowns.
    #[arg(long, help_heading = "Run")]
    pub exit_code: bool,
    /// How to run.
    #[command(flatten)]
    pub execution: Execution,
    /// How to report.
    #[command(flatten)]
    pub reporting: Reporting,
}

/// Load and check everything; touches no host.
#[derive(Debug, Args)]
pub struct Validate {
    /// Which playbooks, for which hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// The form of the report on stdout.
    #[arg(long, value_enum, default_value_t, help_heading = "Report")]
    pub output: PlainOutput,
}

/// Show the graph of tasks: which waits for which, and why; touches no host.
#[derive(Debug, Args)]
pub struct Graph {
    /// Which playbooks, for which hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// In which form. Drawings leave out what follows from other edges, and show hosts whose tasks are the same once.
    #[arg(long, value_enum, default_value_t, help_heading = "Graph")]
    pub format: GraphFormat,
    /// Only the tasks of this host.
    #[arg(long, value_name = "HOST", help_heading = "Graph")]
    pub host: Option<String>,
    /// Only tasks of this name or id, with what they wait for and what waits for them.
    #[arg(long, value_name = "TASK", help_heading = "Graph")]
    pub task: Option<String>,
    /// One task after the other as listed: the graph of that.
    #[arg(long, help_heading = "Graph")]
    pub in_order: bool,
}

/// The form of a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// For Graphviz.
    #[default]
    Dot,
    /// For Markdown.
    Mermaid,
    /// One object with all tasks and all edges.
    Json,
    /// A drawing that browsers show.
    Svg,
}

/// Say for each task whether it would run, why, and what it waits for; changes nothing.
#[derive(Debug, Args)]
pub struct Explain {
    /// Which playbooks, for which hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// Nothing to add: nothing is changed.
    #[arg(short = 'C', long, hide = true)]
    pub check: bool,
    /// Only tasks of this name or id.
    #[arg(long, value_name = "TASK")]
    pub task: Option<String>,
    /// One task after the other as listed: show the edges of that.
    #[arg(long, help_heading = "Run")]
    pub in_order: bool,
    /// How many hosts at once [default: 200].
    #[arg(short, long, value_name = "N", help_heading = "Run")]
    pub forks: Option<usize>,
}

/// Show which hosts there are, their groups and their variables.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct Inventory {
    /// All hosts and groups, with the variables of each host, as JSON.
    #[arg(long, group = "what")]
    pub list: bool,
    /// Groups with the groups and hosts in them, as a tree.
    #[arg(long, group = "what")]
    pub graph: bool,
    /// The variables of one host, as JSON.
    #[arg(long, group = "what", value_name = "HOST")]
    pub host: Option<String>,
    /// With `--host`: which level says this variable, where, and what that hides.
    #[arg(long, value_name = "VAR")]
    pub explain: Option<String>,
    /// An inventory file or directory, or `host1,host2,`; repeatable. Without one: `localhost`.
    #[arg(short, long, value_name = "PATH")]
    pub inventory: Vec<String>,
    /// Only these hosts.
    #[arg(short, long, value_name = "PATTERN")]
    pub limit: Option<String>,
    /// A folder with playbooks: the `group_vars` and `host_vars` in it count too.
    #[arg(long, value_name = "DIR")]
    pub playbook_dir: Option<PathBuf>,
    /// With `--graph`: the variables too.
    #[arg(long)]
    pub vars: bool,
    /// Secrets.
    #[command(flatten)]
    pub vault: Vault,
    /// The group that `--graph` begins with.
    #[arg(value_name = "GROUP", default_value = "all")]
    pub group: String,
}

/// Show what is known about hosts: asks them, changes nothing.
#[derive(Debug, Args)]
pub struct Facts {
    /// Which hosts.
    #[arg(value_name = "PATTERN", default_value = "all")]
    pub pattern: String,
    /// Only facts whose names fit this pattern; repeatable.
    #[arg(long, value_name = "NAME")]
    pub filter: Vec<String>,
    /// Which kinds of facts: `all`, `min`, `hardware`, `network`, `virtual` …
    #[arg(long, value_name = "SUBSET", value_delimiter = ',')]
    pub gather_subset: Vec<String>,
    /// An inventory file or directory, or `host1,host2,`; repeatable. Without one: `localhost`.
    #[arg(short, long, value_name = "PATH")]
    pub inventory: Vec<String>,
    /// Only these hosts.
    #[arg(short, long, value_name = "PATTERN")]
    pub limit: Option<String>,
    /// Privilege.
    #[command(flatten)]
    pub privilege: Privilege,
    /// Connections.
    #[command(flatten)]
    pub connection: Connection,
    /// Secrets.
    #[command(flatten)]
    pub vault: Vault,
    /// How many hosts at once [default: 200].
    #[arg(short, long, value_name = "N")]
    pub forks: Option<usize>,
}

/// Show or forget what earlier runs recorded on a host.
#[derive(Debug, Subcommand)]
pub enum Ledger {
    /// Show what earlier runs recorded on a host.
    Show(LedgerShow),
    /// Forget what earlier runs recorded of a task, or of everything, on a host.
    Forget(LedgerForget),
}

/// Show what earlier runs recorded on a host.
#[derive(Debug, Args)]
pub struct LedgerShow {
    /// The host.
    #[arg(value_name = "HOST")]
    pub host: String,
    /// Where the ledger is.
    #[command(flatten)]
    pub place: LedgerOptions,
    /// The form of the report on stdout.
    #[arg(long, value_enum, default_value_t)]
    pub output: PlainOutput,
}

/// Forget what earlier runs recorded on a host.
#[derive(Debug, Args)]
pub struct LedgerForget {
    /// The host.
    #[arg(value_name = "HOST")]
    pub host: String,
    /// Only the records of this task: its name in the ledger, as `ledger show` prints it.
    #[arg(value_name = "TASK")]
    pub task: Option<String>,
    /// Where the ledger is.
    #[command(flatten)]
    pub place: LedgerOptions,
}

/// Which of a host's ledgers is meant, and how to reach it. With `--become` it is the ledger that
/// root keeps: of runs in which anything becomes root.
#[derive(Debug, Args)]
pub struct LedgerOptions {
    /// An inventory file or directory, or `host1,host2,`; repeatable. Without one: `localhost`.
    #[arg(short, long, value_name = "PATH")]
    pub inventory: Vec<String>,
    /// Privilege.
    #[command(flatten)]
    pub privilege: Privilege,
    /// Connections.
    #[command(flatten)]
    pub connection: Connection,
    /// Secrets.
    #[command(flatten)]
    pub vault: Vault,
}

/// List the modules, or show the manual of one.
#[derive(Debug, Args)]
pub struct Modules {
    /// The module whose manual is shown.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// Print the JSON Schema of playbooks, for editors.
#[derive(Debug, Args)]
pub struct Schema {}

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Which playbooks, for which hosts, with which words.
#[derive(Debug, Args)]
pub struct Selection {
    /// The playbooks, in order.
    #[arg(value_name = "PLAYBOOK", required = true)]
    pub playbooks: Vec<PathBuf>,
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
    /// Only tasks with one of these tags; comma-separated, repeatable.
    #[arg(
        short,
        long,
        value_name = "TAG",
        value_delimiter = ',',
        help_heading = "Selection"
    )]
    pub tags: Vec<String>,
    /// No tasks with one of these tags; comma-separated, repeatable.
    #[arg(
        long,
        value_name = "TAG",
        value_delimiter = ',',
        help_heading = "Selection"
    )]
    pub skip_tags: Vec<String>,
    /// Variables of the highest precedence: `K=V`, a JSON map or `@FILE`; repeatable.
    #[arg(short, long, value_name = "VARS", help_heading = "Selection")]
    pub extra_vars: Vec<String>,
    /// Privilege.
    #[command(flatten)]
    pub privilege: Privilege,
    /// Connections.
    #[command(flatten)]
    pub connection: Connection,
    /// Secrets.
    #[command(flatten)]
    pub vault: Vault,
    /// Options of Ansible that are told about.
    #[command(flatten)]
    pub foreign: Foreign,
}

/// As whom things are done on hosts.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Privilege")]
pub struct Privilege {
    /// Do tasks as another user, root if none is named.
    #[arg(short, long = "become")]
    pub become_user_or_root: bool,
    /// The user to become.
    #[arg(long, value_name = "USER")]
    pub become_user: Option<String>,
    /// How to become another user.
    #[arg(long, value_enum, value_name = "METHOD")]
    pub become_method: Option<Method>,
    /// Ask for the password of sudo, su or doas.
    #[arg(short = 'K', long)]
    pub ask_become_pass: bool,
    /// Take that password from the first line of a file, or of what it prints if it is a program.
    #[arg(
        long,
        alias = "become-pass-file",
        value_name = "FILE",
        conflicts_with = "ask_become_pass"
    )]
    pub become_password_file: Option<PathBuf>,
}

/// How to become another user.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Method {
    /// With sudo.
    Sudo,
    /// With su.
    Su,
    /// With doas.
    Doas,
}

/// How hosts are reached.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// How to reach hosts, where the inventory says nothing else: `ssh`, `openssh`,
    /// `docker`, `podman`, `chroot`, `local`.
    #[arg(short, long, value_name = "CONNECTION")]
    pub connection: Option<String>,
    /// The user to log in as, where the inventory says nothing else.
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// The key to log in with, where the inventory says nothing else.
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// Ask for the password to log in with.
    #[arg(short = 'k', long)]
    pub ask_pass: bool,
    /// A file whose first line is the password to log in with, or a program that prints it.
    #[arg(
        long,
        alias = "conn-pass-file",
        value_name = "FILE",
        conflicts_with = "ask_pass"
    )]
    pub connection_password_file: Option<PathBuf>,
    /// The configuration of ssh, instead of `~/.ssh/config`.
    #[arg(long, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// How long to wait for a connection (10 seconds if nothing is said).
    #[arg(short = 'T', long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// How long a host whose connection was lost is tried again; 0: not at all.
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    pub reconnect: u64,
}

/// How to run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub struct Execution {
    /// How many hosts at once [default: 200].
    #[arg(short, long, value_name = "N")]
    pub forks: Option<usize>,
    /// Exactly one task after the other as listed, hosts in step.
    #[arg(long)]
    pub in_order: bool,
    /// After a failure, go on with what does not depend on it.
    #[arg(long)]
    pub keep_going: bool,
    /// After a failure, run the handlers of that host that were notified before it.
    #[arg(long)]
    pub force_handlers: bool,
    /// How long to wait while another run works on a host.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub lock_wait: u64,
    /// Only list the hosts.
    #[arg(long, conflicts_with = "report")]
    pub list_hosts: bool,
    /// Only list the tasks.
    #[arg(long, conflicts_with = "report")]
    pub list_tasks: bool,
    /// Only list the tags.
    #[arg(long, conflicts_with = "report")]
    pub list_tags: bool,
    /// Only load and check everything: the same as `evenkeel validate`.
    #[arg(long, conflicts_with_all = ["list_hosts", "list_tasks", "list_tags"])]
    pub syntax_check: bool,
}

/// How to report.
#[derive(Debug, Args)]
#[command(next_help_heading = "Report")]
pub struct Reporting {
    /// The form of the report on stdout; progress and talk go to stderr.
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    /// Write a report too: one file of HTML with the graph, a timeline and all differences.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Say more: what is in its state and results; -vv: places and times; -vvv: what starts.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// The form of a run's report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Human,
    /// A JSON object a line, one for each event.
    Json,
    /// XML as `JUnit` writes it.
    Junit,
}

/// The form of other reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlainOutput {
    /// For people.
    #[default]
    Human,
    /// One JSON object.
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound() {
        super::Cli::command().debug_assert();
    }
}
