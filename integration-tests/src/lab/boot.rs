//! How the hosts of a lab come to run.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::{Host, Lab, Plan, leftovers::Traces, vigil::Vigil};
use crate::{Scratch, until};

/// Where the scripts are that the lab is made of.
pub(super) fn script(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab");
    dir.join(name)
}

/// Where images are kept, and what tests fetch once.
pub(super) fn cache() -> PathBuf {
    let var = |name| std::env::var_os(name).filter(|dir| !dir.is_empty());
    let home = || PathBuf::from(var("HOME").expect("HOME is set")).join(".cache");
    let user = || var("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    var("EVENKEEL_LAB_CACHE").map_or_else(|| user().join("evenkeel-lab"), PathBuf::from)
}

impl Lab {
    pub(super) fn boot(plan: &Plan) -> Self {
        let dir = tempfile::Builder::new().prefix("lab-").tempdir().unwrap();
        prepare(plan, dir.path());
        let (up, init) = up(dir.path());
        let kinds = ["net", "mnt", "pid"].iter();
        let namespaces = kinds.map(|kind| fs::read_link(format!("/proc/{init}/ns/{kind}")));
        let namespaces = namespaces.map(Result::unwrap).collect();
        let mut hosts: Vec<_> = (plan.hosts.iter().enumerate())
            .map(|(at, planned)| Host::new(&planned.name, &address(at), dir.path(), init))
            .collect();
        for host in &mut hosts {
            host.wait_until_up();
            host.before = Traces::of(host);
        }
        let scratch = Scratch::new().of_lab(init);
        clients(&scratch, &hosts, dir.path());
        Self {
            vigil: Vigil::begin(dir.path()),
            scratch,
            dir,
            hosts,
            up,
            namespaces,
            quiet: false,
        }
    }
}

fn address(at: usize) -> String {
    format!("10.77.0.{}", 11 + at)
}

/// Writes what `up` reads: the hosts, the key of the users and those of the hosts.
fn prepare(plan: &Plan, dir: &Path) {
    let mut images = BTreeMap::new();
    let mut lines = String::new();
    for (at, host) in plan.hosts.iter().enumerate() {
        let kind = if host.rhel { "rhel" } else { "image" };
        let image = images.entry((kind, &host.packages));
        let image = image.or_insert_with(|| self::image(kind, &host.packages));
        let image = image.display();
        writeln!(lines, "{} {} {image} {}", host.name, address(at), host.disk).unwrap();
    }
    fs::write(dir.join("hosts"), lines).unwrap();
    fs::create_dir(dir.join("host-key")).unwrap();
    let names = plan
        .hosts
        .iter()
        .map(|host| format!("host-key/{}", host.name));
    for file in names.chain(["key".to_owned()]) {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f"]);
        assert!(keygen.arg(dir.join(file)).status().unwrap().success());
    }
}

/// The image of a kind with these packages, built if there is none.
fn image(kind: &str, packages: &[String]) -> PathBuf {
    let mut image = Command::new(script(kind));
    image.arg(cache()).args(packages).stderr(Stdio::inherit());
    let output = image.output().unwrap();
    assert!(output.status.success(), "{image:?} failed");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}

/// Starts the lab's first process, and gives its number.
fn up(dir: &Path) -> (Child, u32) {
    let log = fs::File::create(dir.join("log-of-up")).unwrap();
    // A session of its own: what interrupts a test shall not interrupt the cleaning up.
    let mut up = Command::new("setsid");
    up.args(["--wait".as_ref(), script("up").as_os_str(), dir.as_os_str()]);
    up.stdin(Stdio::piped());
    up.stdout(log.try_clone().unwrap()).stderr(log);
    let mut up = up.spawn().unwrap();
    let log = || fs::read_to_string(dir.join("log-of-up")).unwrap();
    until("the lab's network is made", || {
        assert_eq!(up.try_wait().unwrap(), None, "{}", log());
        dir.join("started").exists()
    });
    let init = fs::read_to_string(dir.join("init")).unwrap();
    (up, init.trim().parse().unwrap())
}

/// Writes the settings of `ssh`, which are read by the runner too, and an inventory with all hosts.
fn clients(scratch: &Scratch, hosts: &[Host], dir: &Path) {
    let (mut known, mut config, mut inventory) = (String::new(), String::new(), String::new());
    for host in hosts {
        let (name, address) = (host.name(), host.address());
        let key = fs::read_to_string(dir.join(format!("host-key/{name}.pub"))).unwrap();
        writeln!(known, "{name},{address} {}", key.trim_end()).unwrap();
        writeln!(config, "Host {name}\n  HostName {address}\n").unwrap();
        writeln!(inventory, "{name} ansible_host={address}").unwrap();
    }
    let key = scratch.path(".ssh/id_ed25519");
    let known_hosts = scratch.path(".ssh/known_hosts");
    let (key_name, known_name) = (key.display(), known_hosts.display());
    write!(
        config,
        "Host *\n  User deploy\n  IdentityFile {key_name}\n  IdentitiesOnly yes\n  UserKnownHostsFile {known_name}\n"
    )
    .unwrap();
    write!(
        inventory,
        "\n[all:vars]\nansible_user=deploy\nansible_ssh_private_key_file={key_name}\n"
    )
    .unwrap();
    scratch.file(".ssh/config", &config);
    scratch.file(".ssh/known_hosts", &known);
    scratch.file("inventory.ini", &inventory);
    fs::copy(dir.join("key"), key).unwrap();
}
