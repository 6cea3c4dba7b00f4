//! What comes from a web server, on real hosts: with their curl, and with their wget.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use evenkeel_integration_tests::{Host, Lab, need_lab};

/// A server in the network of a lab; it ends with this.
#[derive(Debug)]
pub(super) struct Web<'a> {
    lab: &'a Lab,
    server: Child,
}

impl<'a> Web<'a> {
    /// A server that has the files in the directory `web` of the lab.
    pub(super) fn new(lab: &'a Lab) -> Self {
        lab.file("server.py", include_str!("web/server.py"));
        let mut command = lab.within("python3");
        command
            .arg(lab.path("server.py"))
            .arg(lab.path("web"))
            .arg("10.77.0.1");
        let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "up\n");
        Self { lab, server }
    }

    /// What was asked since this was asked last.
    pub(super) fn asked(&self) -> String {
        let path = self.lab.path("web/asked");
        let asked = std::fs::read_to_string(&path).unwrap_or_default();
        let _gone = std::fs::remove_file(&path);
        asked
    }
}

impl Drop for Web<'_> {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

fn tasks(text: &str) -> String {
    format!("become: true\ntasks:\n{text}")
}

/// The hosts `curl` and `wget` have only that one program.
pub(super) fn booted() -> Lab {
    let lab = Lab::plan()
        .packages(&["curl", "ca-certificates", "openssl"])
        .host("curl")
        .packages(&["wget", "ca-certificates"])
        .host("wget")
        .boot();
    assert!(lab.host("curl").is("! command -v wget") && lab.host("wget").is("! command -v curl"));
    lab.file("web/f.txt", "what the server has\n");
    lab.file("web/big.bin", &"0123456789abcdef".repeat(20_000));
    let openssl = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=10.77.0.1 \
                   -addext subjectAltName=IP:10.77.0.1 -keyout /root/key.pem -out /root/cert.pem 2>/dev/null";
    let curl = lab.host("curl");
    curl.sh(openssl);
    lab.file("web/key.pem", &curl.sh("cat /root/key.pem"));
    lab.file("web/cert.pem", &curl.sh("cat /root/cert.pem"));
    lab
}

fn sha(host: &Host, path: &str) -> String {
    host.sh(&format!("sha256sum <{path}"))
        .split(' ')
        .next()
        .unwrap()
        .to_owned()
}

#[test]
#[ignore = "needs root and a lab"]
fn files_of_a_web_server() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    let web = Web::new(&lab);
    settles(&lab, &web);
    checksums(&lab, &web);
    goes_on(&lab, &web);
    fails(&lab);
    keeps_secrets(&lab, &web);
    without_a_program(&lab, &web);
}

/// Hosts that have neither program any more: files are got here, once for both, and sent.
fn without_a_program(lab: &Lab, web: &Web<'_>) {
    for host in lab.hosts() {
        host.sh(
            "rm -f /usr/bin/curl /usr/bin/wget; rm -rf /srv/* /srv/.[a-z]*; mkdir /srv/unpacked",
        );
    }
    lab.settles(&tasks(BASIC));
    for host in lab.hosts() {
        assert_eq!(
            host.sh("cat /srv/f /srv/plain /srv/packed /srv/moved /srv/unsafe"),
            "what the server has\n".repeat(5)
        );
        assert_eq!(host.sh("gzip -dc /srv/packed.gz"), "what the server has\n");
        assert_eq!(host.sh("stat -c '%a %U %G' /srv/f"), "640 root deploy\n");
        host.sh("sed -i s/what/WHAT/ /srv/f");
    }
    web.asked();
    lab.run(&[]).ok().changed(2);
    let asked = web.asked();
    let of_file = asked.lines().filter(|line| *line == "GET /file/f.txt -");
    // Three addresses lead there.
    assert_eq!(of_file.count(), 3, "once for both hosts: {asked}");

    // It is cut in the middle of each answer but the one that goes on with it: one run is enough.
    lab.tasks(&tasks(
        "- get_url: {url: 'http://10.77.0.1:8080/cut/big.bin', dest: /srv/big}\n",
    ));
    lab.run(&[]).ok().changed(2);
    assert_eq!(
        web.asked(),
        "GET /cut/big.bin -\nGET /cut/big.bin bytes=160000-\n"
    );
    let digits = sha(lab.host("wget"), "/srv/big");
    assert_eq!(lab.host("wget").sh("wc -c </srv/big"), "320000\n");

    // With a checksum a file that is right costs no request; a wrong one changes nothing.
    let get = "- get_url: {url: 'http://10.77.0.1:8080/file/big.bin', dest: /srv/big";
    lab.tasks(&tasks(&format!("{get}, checksum: 'sha256:{digits}'}}\n")));
    lab.run(&[]).ok().changed(0).exchanges(2);
    assert_eq!(web.asked(), "");
    let wrong = "f".repeat(64);
    lab.tasks(&tasks(&format!("{get}, checksum: 'sha256:{wrong}'}}\n")));
    lab.run(&[]).status(2).says(&format!(
        "its sha256 is {digits}, not {wrong}: nothing was changed"
    ));
    assert_eq!(sha(lab.host("curl"), "/srv/big"), digits);

    // An archive comes the same way.
    let mut tar = lab.within("tar");
    tar.args(["-C", "web", "-czf", "web/a.tgz", "f.txt"])
        .current_dir(lab.path(""));
    assert!(tar.status().unwrap().success());
    lab.settles(&tasks("- unarchive: {src: 'http://10.77.0.1:8080/file/a.tgz', dest: /srv/unpacked, remote_src: true}\n"));
    for host in lab.hosts() {
        assert_eq!(host.sh("cat /srv/unpacked/f.txt"), "what the server has\n");
    }

    lab.tasks(&tasks(
        "- get_url: {url: 'http://me:s3cret@10.77.0.1:8080/missing', dest: /srv/none}\n",
    ));
    lab.plan(&[])
        .status(2)
        .says("`http://***@10.77.0.1:8080/missing`: the server answers `404 Not Found`");
    lab.tasks(&tasks(
        "- get_url: {url: 'https://10.77.0.1:8443/file/f.txt', dest: /srv/none}\n",
    ));
    lab.run(&[]).status(2).says("certificate");
    lab.tasks(&tasks(
        "- get_url: {url: 'http://10.77.0.1:8080/stall/f.txt', dest: /srv/none, timeout: 2}\n",
    ));
    lab.run(&[]).status(2).says("nothing came for 2 s");
    for host in lab.hosts() {
        assert!(host.is("test ! -e /srv/none && test ! -e /srv/.none.evenkeel"));
        host.sh("rm -f /srv/private");
    }
    keeps_secrets(lab, web);
}

const BASIC: &str = "
- get_url: {url: 'http://10.77.0.1:8080/file/f.txt', dest: /srv/f, mode: '0640', group: deploy}
- get_url: {url: 'http://10.77.0.1:8080/plain/f.txt', dest: /srv/plain}
- get_url: {url: 'http://10.77.0.1:8080/packed/f.txt', dest: /srv/packed}
- get_url: {url: 'http://10.77.0.1:8080/packed/f.txt', dest: /srv/packed.gz, decompress: false}
- get_url: {url: 'http://10.77.0.1:8080/moved', dest: /srv/moved}
- get_url: {url: 'http://10.77.0.1:8080/file/f.txt?$(touch%20pwned);`x`', dest: \"/srv/-x 'q' $(touch pwned) \\\"d\\\"\"}
- get_url: {url: 'https://10.77.0.1:8443/file/f.txt', dest: /srv/unsafe, validate_certs: false}
- get_url: {url: 'file:///etc/hostname', dest: /srv/local}
";

fn settles(lab: &Lab, web: &Web<'_>) {
    lab.settles(&tasks(BASIC));
    for host in lab.hosts() {
        let name = host.name();
        assert_eq!(
            host.sh("cat /srv/f /srv/plain /srv/packed /srv/moved /srv/unsafe"),
            "what the server has\n".repeat(5),
            "{name}"
        );
        assert_eq!(
            host.sh("stat -c '%a %U %G' /srv/f"),
            "640 root deploy\n",
            "{name}"
        );
        assert_eq!(
            host.sh("gzip -dc /srv/packed.gz"),
            "what the server has\n",
            "{name}"
        );
        assert_eq!(
            host.sh("ls -A /srv | wc -l"),
            "8\n",
            "{name}: {}",
            host.sh("ls -A /srv")
        );
        // An edit shows, though the file is younger and as long as what the server has.
        host.sh("sed -i s/what/WHAT/ /srv/f /srv/plain");
    }
    lab.run(&[]).ok().changed(4);
    lab.run(&[]).ok().changed(0).exchanges(2);
    // In a directory, under the name that the server says, and never outside of it.
    lab.tasks(&tasks(
        "- get_url: {url: 'http://10.77.0.1:8080/named/f.txt', dest: /srv}\n",
    ));
    lab.run(&[]).ok().changed(2);
    lab.run(&[]).ok().changed(0);
    for host in lab.hosts() {
        assert_eq!(host.sh("cat /srv/evil.txt"), "what the server has\n");
        assert!(host.is("test ! -e /etc/evil.txt"));
    }
    web.asked();
}

fn checksums(lab: &Lab, web: &Web<'_>) {
    let digits = sha(lab.host("curl"), "/srv/f");
    lab.file(
        "web/SUMS",
        &format!("{}  g.txt\n{digits} *./f.txt\n", "0".repeat(64)),
    );
    let md5 = lab.host("curl").sh("md5sum </srv/f");
    let md5 = md5.split(' ').next().unwrap();
    let get = "- get_url: {url: 'http://10.77.0.1:8080/file/f.txt', dest: /srv";
    lab.settles(&tasks(&format!(
        "{get}/sum, checksum: 'sha256:{digits}'}}\n{get}/md5, checksum: 'md5:{md5}'}}\n"
    )));
    web.asked();
    lab.run(&[]).ok().changed(0).exchanges(2);
    assert_eq!(web.asked(), "", "a file that is right costs no request");
    lab.settles(&tasks("- get_url: {url: 'http://10.77.0.1:8080/file/f.txt', dest: /srv/list, checksum: 'sha256:http://10.77.0.1:8080/file/SUMS'}\n"));
    let wrong = "f".repeat(64);
    lab.tasks(&tasks(&format!("- get_url: {{url: 'http://10.77.0.1:8080/file/f.txt', dest: /srv/sum, checksum: 'sha256:{wrong}'}}\n")));
    lab.run(&[]).status(2).says(&format!(
        "its sha256 is {digits}, not {wrong}: nothing was changed"
    ));
    assert_eq!(sha(lab.host("wget"), "/srv/sum"), digits);
    assert!(lab.host("wget").is("test ! -e /srv/.sum.evenkeel-part"));
    web.asked();
}

fn goes_on(lab: &Lab, web: &Web<'_>) {
    lab.tasks(&tasks(
        "- get_url: {url: 'http://10.77.0.1:8080/cut/big.bin', dest: /srv/big}\n",
    ));
    let cut = lab.run(&[]).status(2);
    assert!(
        cut.to_string().contains("incomplete read") || cut.to_string().contains("bytes"),
        "{cut}"
    );
    for host in lab.hosts() {
        assert!(host.is("test ! -e /srv/big"));
        assert_eq!(host.sh("stat -c '%a %s' /srv/.big.evenkeel-part /srv/.big.evenkeel-part/data | cut -d' ' -f1"), "700\n600\n");
    }
    web.asked();
    lab.run(&["--limit", "curl"]).ok().changed(1);
    assert_eq!(
        web.asked(),
        "GET /cut/big.bin bytes=160000-\nGET /cut/big.bin -\n"
    );
    let curl = lab.host("curl");
    assert_eq!(curl.sh("wc -c </srv/big"), "320000\n");
    assert!(curl.is("test ! -e /srv/.big.evenkeel-part"));
    lab.run(&["--limit", "curl"]).ok().changed(0).exchanges(1);
    // wget begins anew, and fails again; what came of it is in nobody's way.
    lab.run(&["--limit", "wget"]).status(2);
    assert!(
        lab.host("wget")
            .is("test ! -e /srv/big && rm -r /srv/.big.evenkeel-part")
    );
}

fn fails(lab: &Lab) {
    let missing = "- get_url: {url: 'http://me:s3cret@10.77.0.1:8080/missing', dest: /srv/none}\n";
    lab.tasks(&tasks(missing));
    lab.run(&[])
        .status(2)
        .says("`http://***@10.77.0.1:8080/missing`: the server answers `404");
    lab.tasks(&tasks(
        "- get_url: {url: 'https://10.77.0.1:8443/file/f.txt', dest: /srv/none}\n",
    ));
    let bad = lab.run(&[]).status(2);
    assert!(
        bad.to_string().to_lowercase().contains("certificate"),
        "{bad}"
    );
    lab.tasks(&tasks(
        "- get_url: {url: 'http://10.77.0.1:1/f', dest: /srv/none}\n",
    ));
    let closed = lab.run(&[]).status(2);
    assert!(
        closed.to_string().contains("refused") || closed.to_string().contains("connect"),
        "{closed}"
    );
    lab.tasks(&tasks(
        "- get_url: {url: 'http://10.77.0.1:8080/file/f.txt', dest: /nowhere/f}\n",
    ));
    lab.run(&[]).status(2).says("the directory `/nowhere`");
    // A server that stops in the middle of its answer is not waited for.
    lab.tasks(&tasks(
        "- get_url: {url: 'http://10.77.0.1:8080/stall/f.txt', dest: /srv/none, timeout: 2}\n",
    ));
    let stalled = lab.run(&[]).status(2);
    stalled.says("the answer ended after 5 of 20 bytes: incomplete read");
    for host in lab.hosts() {
        host.sh("rm -rf /srv/.none.evenkeel-part");
    }
    for host in lab.hosts() {
        assert!(host.is("test ! -e /srv/none && test ! -e /srv/.none.evenkeel && test ! -e /srv/.none.evenkeel-part"));
    }
}

/// A server that wants to know who asks; the lab watches for the secrets.
fn keeps_secrets(lab: &Lab, web: &Web<'_>) {
    lab.settles(&tasks(
        "- get_url:\n    url: http://10.77.0.1:8080/private\n    dest: /srv/private\n    url_username: me\n    \
         url_password: s3cret-4711\n    headers: {X-Token: s3cret-0815}\n    mode: '0600'\n",
    ))
    .changed(2);
    for host in lab.hosts() {
        assert_eq!(host.sh("cat /srv/private"), "private\n");
        assert!(host.is("! ls /tmp/tmp.* 2>/dev/null"));
    }
    web.asked();
}
