//! A private key and its certificate, by the real `openssl`.

use evenkeel_integration_tests::{Host, Lab, need_lab, until};

fn tasks(text: &str) -> String {
    format!("become: true\ntasks:\n{text}")
}

/// The task of these tests, with more arguments.
fn pair(more: &str) -> String {
    tasks(&format!(
        "- name: pair
  openssl-certificate:
    path: /etc/ssl/web/web.pem
    key: /etc/ssl/web/web.key
    common_name: web.example
    size: 2048
    key_group: deploy
    key_mode: '0640'
{more}"
    ))
}

/// What openssl says of the certificate.
fn says(host: &Host, options: &str) -> String {
    host.sh(&format!(
        "openssl x509 -noout -in /etc/ssl/web/web.pem {options}"
    ))
}

fn key(host: &Host) -> String {
    host.sh("sha256sum </etc/ssl/web/web.key")
}

/// Whether the certificate is the key's.
fn belong_together(host: &Host) -> bool {
    let public = host.sh("openssl pkey -in /etc/ssl/web/web.key -pubout");
    says(host, "-pubkey") == public
}

#[test]
#[ignore = "needs root and a lab"]
fn a_pair_is_kept_by_the_real_openssl() {
    if !need_lab() {
        return;
    }
    let lab = Lab::plan().packages(&["openssl"]).host("web").boot();
    let host = lab.host("web");
    no_directory_yet(&lab);
    host.sh("mkdir /etc/ssl/web");
    made(&lab, host);
    a_client_trusts_it(host);
    repaired(&lab, host);
    other_kinds(&lab, host);
    hostile(&lab, host);
    kept_back(&lab, host);
    without_openssl(&lab, host);
    assert!(host.is("! test -e /tmp/pwned"));
    host.sh("rm /tmp/x.* /tmp/served /tmp/server");
}

fn no_directory_yet(lab: &Lab) {
    lab.tasks(&pair(""));
    lab.run(&[]).status(2).says("the directory `/etc/ssl/web`");
}

fn made(lab: &Lab, host: &Host) {
    let run = lab.settles(&pair("")).changed(1);
    assert_eq!(run.task("pair").whats(), ["key", "certificate"]);
    // No line of the key is told.
    let line = host.sh("sed -n 2p /etc/ssl/web/web.key");
    run.never_says(line.trim());
    assert_eq!(
        host.sh("stat -c '%n %a %U:%G' /etc/ssl/web/* /etc/ssl/web/.[!.]* 2>/dev/null; true"),
        "/etc/ssl/web/web.key 640 root:deploy\n/etc/ssl/web/web.pem 644 root:root\n"
    );
    assert!(belong_together(host));
    assert_eq!(
        says(host, "-ext subjectAltName").lines().nth(1),
        Some("    DNS:web.example")
    );
    assert!(host.is("openssl x509 -noout -in /etc/ssl/web/web.pem -checkend 31500000"));
    assert!(!host.is("openssl x509 -noout -in /etc/ssl/web/web.pem -checkend 31600000"));
}

fn a_client_trusts_it(host: &Host) {
    host.sh(
        "cd /etc/ssl/web && setsid openssl s_server -accept 127.0.0.1:4433 -cert web.pem -key web.key -www \
         >/tmp/served 2>&1 </dev/null & echo $! >/tmp/server",
    );
    until("the server answers", || {
        host.is("grep -q ACCEPT /tmp/served")
    });
    let client = "openssl s_client -connect 127.0.0.1:4433 -CAfile /etc/ssl/web/web.pem -verify_return_error";
    assert!(host.is(&format!("{client} -verify_hostname web.example </dev/null")));
    assert!(!host.is(&format!(
        "{client} -verify_hostname other.example </dev/null"
    )));
    host.sh("kill $(cat /tmp/server)");
}

fn repaired(lab: &Lab, host: &Host) {
    let first = key(host);
    // Others can read the key.
    host.sh("chmod 644 /etc/ssl/web/web.key");
    let run = lab.settles(&pair(""));
    assert_eq!(run.task("pair").whats(), ["key mode"]);
    // Other names: the key stays.
    let run = lab.settles(&pair(
        "    san: ['DNS:web.example', 'IP:192.0.2.7', 'IP:2001:db8::1']\n",
    ));
    assert_eq!(run.task("pair").whats(), ["names"]);
    assert!(says(host, "-text").contains("IP Address:2001:DB8:0:0:0:0:0:1"));
    // Half a certificate.
    host.sh("cd /etc/ssl/web && head -c 500 web.pem >half && cat half >web.pem && rm half");
    let run = lab.settles(&pair(""));
    assert_eq!(run.task("pair").whats(), ["certificate"]);
    // It ends too soon.
    host.sh(
        "cd /etc/ssl/web && openssl req -x509 -new -key web.key -subj /CN=web.example -days 20 -addext \
         subjectAltName=DNS:web.example -addext basicConstraints=critical,CA:FALSE -out web.pem 2>/dev/null",
    );
    let run = lab.settles(&pair(""));
    // The system's own configuration calls each an authority's, until another one does.
    assert!(
        run.task("pair").whats().contains(&"validity".to_owned()),
        "{run}"
    );
    assert_eq!(key(host), first);
    assert!(belong_together(host));
    // Somebody replaces the key.
    host.sh("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out /etc/ssl/web/web.key 2>/dev/null");
    let other = key(host);
    let run = lab.settles(&pair(""));
    assert_eq!(run.task("pair").whats(), ["certificate"]);
    assert_eq!(key(host), other);
    assert!(belong_together(host));
    // A run was cut while it made a key: what it left is removed.
    host.sh("cp -p /etc/ssl/web/web.key /etc/ssl/web/.web.key.evenkeel");
    let run = lab.settles(&pair(""));
    assert_eq!(run.task("pair").whats(), ["key leftover"]);
    // The key is cut off.
    host.sh("cd /etc/ssl/web && head -c 500 web.key >half && cat half >web.key && rm half");
    let run = lab.settles(&pair(""));
    assert_eq!(run.task("pair").whats(), ["key", "certificate"]);
    assert!(belong_together(host));
}

fn other_kinds(lab: &Lab, host: &Host) {
    let of = |more: &str| pair(more).replace("    size: 2048\n", "");
    let run = lab.settles(&of(
        "    type: ec\n    curve: P-384\n    digest: sha384\n    usage: [digitalSignature, keyAgreement]\n    \
         extended_usage: [serverAuth, clientAuth, 1.3.6.1.5.5.7.3.17]\n",
    ));
    assert_eq!(
        run.task("pair").whats(),
        ["key", "certificate", "usage", "extended usage"]
    );
    let text = says(host, "-text");
    assert!(
        text.contains("ecdsa-with-SHA384") && text.contains("P-384"),
        "{text}"
    );
    assert!(text.contains("TLS Web Client Authentication, TLS Web Server Authentication"));
    lab.settles(&of("    type: ed25519\n    days: 90\n"))
        .changed(1);
    assert!(says(host, "-text").contains("ED25519"));
    // An authority signs others.
    lab.settles(&of("    type: ec\n    is_ca: true\n"))
        .changed(1);
    host.sh(
        "cd /tmp && openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout x.key \
         -out x.csr 2>/dev/null && openssl x509 -req -in x.csr -CA /etc/ssl/web/web.pem -CAkey /etc/ssl/web/web.key \
         -CAcreateserial -CAserial /tmp/x.srl -out x.pem 2>/dev/null && openssl verify -x509_strict -CAfile \
         /etc/ssl/web/web.pem x.pem",
    );
}

/// Values are only values.
fn hostile(lab: &Lab, host: &Host) {
    lab.settles(&tasks(
        "- name: hostile
  openssl-certificate:
    path: \"/etc/ssl/web/it's $(touch \\\\tmp) -out \\\"☃.pem\"
    key: \"/etc/ssl/web/it's $(touch \\\\tmp) -out \\\"☃.key\"
    type: ec
    common_name: \" $HOME ${ENV::HOME} \\\\ \"
    subject:
      O: \"it's \\\"$(touch /tmp/pwned)\\\" # / + , = ; \\\\\"
      OU: [\"`touch /tmp/pwned`\", '[req]', '☃ Müller']
      1.3.6.1.4.1.99999.1: 'x'
      C: DE
",
    ))
    .changed(1);
    assert_eq!(
        host.sh(
            "cd /etc/ssl/web && openssl x509 -noout -subject -nameopt sep_multiline,utf8,sname,-esc_msb -in it*.pem"
        ),
        "subject=\n    O=it's \"$(touch /tmp/pwned)\" # / + , = ; \\\n    OU=`touch /tmp/pwned`\n    OU=[req]\n    \
         OU=☃ Müller\n    1.3.6.1.4.1.99999.1=x\n    C=DE\n    CN= $HOME ${ENV::HOME} \\ \n"
    );
    lab.tasks(&pair("    subject: {O: \"a\\n[req]\"}\n"));
    lab.run(&[])
        .status(5)
        .says("`subject`: `O` holds a line end or another control character");
}

/// What must not be lost is kept.
fn kept_back(lab: &Lab, host: &Host) {
    lab.settles(&pair("")).changed(1);
    host.sh(
        "cd /etc/ssl/web && cp -p web.key plain && openssl pkey -in plain -aes256 -passout pass:secret -out web.key",
    );
    let locked = key(host);
    lab.tasks(&pair("    force: true\n"));
    lab.run(&[])
        .status(2)
        .says("the key `/etc/ssl/web/web.key` has a passphrase: it is not replaced");
    // As older programs write it.
    host.sh("cd /etc/ssl/web && openssl rsa -in plain -aes256 -traditional -passout pass:secret -out web.key 2>/dev/null");
    lab.run(&[]).status(2).says("has a passphrase");
    assert_ne!(key(host), locked);
    // One without, in the other form, is a key.
    host.sh("cd /etc/ssl/web && openssl pkey -in plain -outform DER -out web.key && rm plain && chown :deploy web.key && chmod 640 web.key");
    lab.settles(&pair("")).changed(0);
    lab.tasks(&pair("").replace("path: /etc/ssl/web/web.pem", "path: /etc/passwd"));
    lab.run(&[])
        .status(2)
        .says("`/etc/passwd` holds no certificate: it is not replaced");
    host.sh("openssl genpkey -algorithm ED25519 -out /tmp/x.key");
    lab.tasks(&pair("").replace("path: /etc/ssl/web/web.pem", "path: /tmp/x.key"));
    lab.run(&[])
        .status(2)
        .says("`/tmp/x.key` holds a private key: it is not replaced by a certificate");
    lab.tasks(&pair("").replace("become: true", "become: true\nbecome_user: deploy"));
    host.sh("chmod 600 /etc/ssl/web/web.key");
    lab.run(&[])
        .status(2)
        .says("`/etc/ssl/web/web.key` cannot be read by `deploy`")
        .says("with `become: true` it can");
}

fn without_openssl(lab: &Lab, host: &Host) {
    host.sh("mv /usr/bin/openssl /usr/bin/openssl.away");
    lab.tasks(&pair(""));
    lab.run(&[]).status(2).says("install the package `openssl`");
    lab.settles(&pair("    state: absent\n")).changed(1);
    assert!(host.is("! test -e /etc/ssl/web/web.key && ! test -e /etc/ssl/web/web.pem"));
    // One task brings it, the next one uses it.
    lab.tasks(&format!(
        "{}{}",
        tasks(
            "- name: it comes\n  command: {argv: [mv, /usr/bin/openssl.away, /usr/bin/openssl], creates: /usr/bin/openssl}\n"
        ),
        pair("").trim_start_matches("become: true\ntasks:\n")
    ));
    lab.plan(&[]).ok().outcome("pair", "unknown");
    lab.run(&[]).ok().changed(2);
    lab.run(&[]).ok().changed(0).exchanges(1);
}
