//! `mount` against the kernel: file systems of memory, binds, and the lines of `/etc/fstab`.

use evenkeel_integration_tests::{Host, Lab, need_lab, until};

fn play(tasks: &str) -> String {
    format!("become: true\ntasks:\n{tasks}")
}

fn task(args: &str) -> String {
    play(&format!("- name: it\n  mount: {args}\n"))
}

/// As the kernel tells them.
fn options(host: &Host, path: &str) -> String {
    host.sh(&format!("findmnt -n -o OPTIONS \"{path}\""))
}

const SITE: &str = "
- name: memory
  mount: {path: /srv/scratch/deep, src: tmpfs, fstype: tmpfs, opts: 'size=8m,mode=0755,nosuid', state: mounted}
- name: a file in it
  copy: {dest: /srv/scratch/deep/here, content: x}
- name: what is bound
  file: {path: '/srv/a b', state: directory}
- name: bound
  mount: {path: \"/srv/it's $(touch /pwned)\", src: '/srv/a b', fstype: none, opts: 'bind,ro', state: mounted}
- name: only in the file
  mount: {path: /mnt/later, src: UUID=0-0, fstype: ext4, opts: 'noauto,nofail', passno: 2, state: present}
- name: for now
  mount: {path: /srv/now, src: tmpfs, fstype: tmpfs, opts: noexec, state: ephemeral}
";

#[test]
#[ignore = "needs root and a lab"]
fn file_systems_are_mounted_and_gone() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().host("one").boot();
    let host = lab.host("one");
    let before = "# kept\tas it is\n/dev/none\t/boot  ext4 noauto 0 0";
    host.write("/etc/fstab", before);
    lab.settles(&play(SITE));
    assert_eq!(
        host.sh("cat /etc/fstab"),
        format!(
            "{before}\n\
             tmpfs /srv/scratch/deep tmpfs size=8m,mode=0755,nosuid 0 0\n\
             /srv/a\\040b /srv/it's\\040$(touch\\040/pwned) none bind,ro 0 0\n\
             UUID=0-0 /mnt/later ext4 noauto,nofail 0 2\n"
        )
    );
    let scratch = options(host, "/srv/scratch/deep");
    assert!(
        scratch.contains("nosuid") && scratch.contains("size=8192k"),
        "{scratch}"
    );
    assert_eq!(host.sh("cat /srv/scratch/deep/here"), "x");
    host.sh("touch '/srv/a b/seen'; test -e \"/srv/it's \\$(touch /pwned)/seen\"");
    assert!(!host.is("touch \"/srv/it's \\$(touch /pwned)/no\""));
    assert!(!host.is("test -e /pwned"));
    // What the file says is what `mount` itself takes.
    host.sh("umount /srv/scratch/deep && mount /srv/scratch/deep");
    // systemd was told: its units are those of the file, and soon it sees what the kernel mounted.
    until("systemd knows the options of the mount", || {
        host.sh("systemctl show -p Options --value srv-scratch-deep.mount")
            .trim()
            == scratch.trim()
    });

    // Somebody remounts it, or writes other options.
    host.sh("mount -o remount,suid /srv/scratch/deep; umount /srv/scratch/deep; mount -t tmpfs tmpfs /srv/scratch/deep");
    let again = lab.run(&[]).ok();
    assert_eq!(
        again.named("changed"),
        ["memory", "a file in it"],
        "{again}"
    );
    assert!(options(host, "/srv/scratch/deep").contains("size=8192k"));
    let other = SITE.replace("size=8m,mode=0755,nosuid", "size=4m,noexec");
    lab.settles(&play(&other));
    assert!(options(host, "/srv/scratch/deep").contains("noexec"));
    assert_eq!(host.sh("grep -c ^tmpfs /etc/fstab"), "1\n");
    refused_and_gone(&lab);
}

/// What cannot be done, and how mounts end.
fn refused_and_gone(lab: &Lab) {
    let host = lab.host("one");
    let fails = |args: &str, message: &str, help: &str| {
        lab.tasks(&task(args));
        let ran = lab.run(&[]);
        let error = &ran.task("it").0["error"];
        assert_eq!(error["message"].as_str(), Some(message), "{ran}");
        assert!(
            error["help"].as_str().unwrap_or_default().contains(help),
            "{ran}"
        );
    };
    host.sh("systemd-run -q --unit=busy --property=WorkingDirectory=/srv/now sleep 1000");
    fails(
        "{path: /srv/now, state: unmounted}",
        "umount: /srv/now: target is busy.",
        "fuser -vm",
    );
    host.sh("systemctl stop busy");
    fails(
        "{path: /srv/x, src: /dev/nosuch, fstype: ext4, state: mounted}",
        "mount: /srv/x: special device /dev/nosuch does not exist.",
        "lsblk",
    );
    fails(
        "{path: /srv/x, src: /dev/null, fstype: nosuchfs, state: ephemeral}",
        "mount: /srv/x: /dev/null is not a block device.",
        "lsblk",
    );
    fails(
        "{path: /srv/now, src: 'nfs:/x', fstype: nfs, state: ephemeral}",
        "at `/srv/now` something else is mounted: `tmpfs` (tmpfs)",
        "unmount it first",
    );

    lab.tasks(&task("{path: /srv/now, state: remounted, opts: ro}"));
    lab.run(&[]).ok().changed(1);
    assert!(options(host, "/srv/now").contains("ro"));
    lab.settles(&task("{path: /srv/now, state: unmounted}"))
        .changed(1);
    lab.settles(&task("{path: /srv/scratch/deep, state: absent_from_fstab}"))
        .changed(1);
    assert!(host.is("mountpoint -q /srv/scratch/deep"));
    // As often as something is mounted there.
    host.sh("mount -t tmpfs tmpfs /srv/scratch/deep");
    lab.settles(&task("{path: /srv/scratch/deep, state: absent}"))
        .changed(1);
    lab.settles(&task(
        "{path: \"/srv/it's $(touch /pwned)\", state: absent}",
    ))
    .changed(1);
    assert!(!host.is("test -e /srv/scratch/deep") && !host.is("test -e /pwned"));
    host.sh("rm -rf /srv/x; mkdir /srv/full; touch /srv/full/kept");
    fails(
        "{path: /srv/full, state: absent}",
        "rmdir: failed to remove '/srv/full': Directory not empty",
        "is kept",
    );
}
