//! The modules of evenkeel: what a machine can be brought to, one file each.

#![cfg_attr(
    test,
    expect(
        clippy::disallowed_methods,
        reason = "tests run scripts on this machine"
    )
)]

use evenkeel_engine::Registry;

mod accounts;
mod args;
mod attributes;
mod download;
pub mod labelled;
mod look;
mod many;
mod mode;
mod paths;
mod pattern;
mod pgp;
mod presence;
mod put;
pub mod rabbit;
mod rewrite;
mod sums;
mod tree;
mod words;
pub use accounts::{Ageing, Entry, LocalGroup, Login, Numbers, Shadow, Taken};
pub use args::Unsupported;
pub use attributes::Attributes;
pub use mode::Mode;
pub use rewrite::Rewritten;
pub use sums::Sum;
pub use tree::Below;

/// What the page about writing modules shows is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/modules.md")]
#[derive(Debug)]
pub struct Guide;

/// Each line is a module: its file, and the type that implements [`evenkeel_engine::Module`].
macro_rules! modules {
    ($($file:ident => $module:ident,)*) => {
        $(pub mod $file;)*

        /// All modules of this crate.
        pub fn standard() -> Registry {
            Registry::default()$(.with::<$file::$module>())*
        }
    };
}

modules! {
    alternatives => Alternatives,
    apt => Apt,
    apt_key => AptKey,
    apt_repository => AptRepository,
    assemble => Assemble,
    assert => Assert,
    async_status => AsyncStatus,
    authorized_key => AuthorizedKey,
    blockinfile => Blockinfile,
    command => Command,
    compile_python => CompilePython,
    copy => Copy,
    cron => Cron,
    deb822_repository => Deb822Repository,
    debconf => Debconf,
    debug => Debug,
    dpkg_selections => DpkgSelections,
    fail => Fail,
    fetch => Fetch,
    file => File,
    file_template => FileTemplate,
    find => Find,
    getent => Getent,
    get_url => GetUrl,
    git => Git,
    group => Group,
    hostname => Hostname,
    include_vars => IncludeVars,
    ini_file => IniFile,
    known_hosts => KnownHosts,
    lineinfile => Lineinfile,
    modprobe => Modprobe,
    mount => Mount,
    openssl_certificate => OpensslCertificate,
    package => Package,
    package_facts => PackageFacts,
    pam_limits => PamLimits,
    pause => Pause,
    ping => Ping,
    pip => Pip,
    psql => Psql,
    psql_db => PsqlDb,
    psql_ext => PsqlExt,
    psql_pg_hba => PsqlPgHba,
    psql_privs => PsqlPrivs,
    psql_set => PsqlSet,
    psql_user => PsqlUser,
    reboot => Reboot,
    replace => Replace,
    rabbitmq_plugin => RabbitmqPlugin,
    rabbitmq_policy => RabbitmqPolicy,
    rabbitmq_user => RabbitmqUser,
    rabbitmq_vhost => RabbitmqVhost,
    rpm_key => RpmKey,
    script => Script,
    service_facts => ServiceFacts,
    set_fact => SetFact,
    set_stats => SetStats,
    setup => Setup,
    shell => Shell,
    slurp => Slurp,
    stat => Stat,
    sysctl => Sysctl,
    systemd_unit => SystemdUnit,
    tempfile => Tempfile,
    timezone => Timezone,
    unarchive => Unarchive,
    uri => Uri,
    useradd => Useradd,
    validate_argument_spec => ValidateArgumentSpec,
    wait_for => WaitFor,
    wait_for_connection => WaitForConnection,
    yum => Yum,
    yum_repository => YumRepository,
}
