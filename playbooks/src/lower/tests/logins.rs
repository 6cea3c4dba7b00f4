//! How hosts are logged in to: as plays say, and tasks below them.

use std::sync::Mutex;

use super::*;

/// On which machine each task is done, and what is told to whoever opens the ways there.
fn ways(hosts: &str, playbook: &str) -> (Vec<String>, Vec<String>) {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "site.yml", playbook);
    write(dir.path(), "hosts", hosts);
    let opened = Mutex::new(Vec::new());
    let connect = |host: &HostVars| {
        let of = |name: &str| host.vars.get(name).and_then(Value::as_text);
        let words = ["ansible_connection", "ansible_user", "ansible_port"];
        let words: Vec<String> = words.into_iter().filter_map(of).collect();
        let told = format!("{} {}", host.name, words.join(" "));
        opened
            .lock()
            .expect("no test panics")
            .push(told.trim_end().to_owned());
        Ok(Arc::new(NoHost) as Arc<dyn Host>)
    };
    let registry = Arc::new(Registry::default().with::<Command>());
    let request = Request {
        playbooks: vec![dir.path().join("site.yml")],
        inventory: vec![dir.path().join("hosts").display().to_string()],
        ..Request::default()
    };
    let loaded = load_with_files(&request, &registry, &connect);
    let loaded = loaded.unwrap_or_else(|_| panic!("nothing is wrong with it"));
    let on = |task: &Task| loaded.list.hosts[task.host.index()].name.clone();
    let done = loaded.list.tasks.iter().map(on).collect();
    let opened = opened.into_inner().expect("no test panics");
    (done, opened)
}

#[test]
fn what_stands_further_in_counts_and_the_inventory_more() {
    let (done, opened) = ways(
        "a\nb ansible_user=root\n",
        "
- hosts: all
  remote_user: admin
  tasks:
  - command: usual
  - remote_user: deploy
    vars: {where: 2222}
    block:
    - command: as another
    - {command: as usual after all, remote_user: admin}
    - {command: elsewhere, port: '{{ where }}'}
  - {command: as it is anyway, connection: ssh}
",
    );
    let (a, b): (Vec<String>, Vec<String>) = done.into_iter().partition(|name| name.contains('a'));
    assert_eq!(a, ["a", "a -> deploy@a", "a", "a -> deploy@a", "a"]);
    assert_eq!(b[..3], ["b", "b", "b"]);
    assert_eq!(
        opened,
        [
            "a ssh admin",
            "b ssh root",
            "a ssh deploy",
            "a ssh deploy 2222",
            "b ssh root 2222"
        ]
    );
}

#[test]
fn plays_may_reach_a_host_in_different_ways() {
    let (done, opened) = ways(
        "a\nb ansible_connection=chroot\n",
        "
- {hosts: all, tasks: [command: there]}
- {hosts: all, connection: local, tasks: [command: here]}
- {hosts: all, remote_user: deploy, tasks: [command: there as another]}
",
    );
    assert_eq!(
        done,
        [
            "a",
            "b",
            "a -> localhost",
            "b",
            "a -> deploy@a",
            "b -> deploy@b"
        ]
    );
    assert_eq!(
        opened,
        [
            "a ssh",
            "b chroot",
            "localhost local",
            "a ssh deploy",
            "b chroot deploy"
        ]
    );
    let (done, opened) = ways(
        "a\n",
        "
- {hosts: a, connection: local, tasks: [command: here]}
- {hosts: a, tasks: [command: there]}
",
    );
    assert_eq!(done, ["a", "a -> a"]);
    assert_eq!(opened, ["a local", "a ssh"]);
}
