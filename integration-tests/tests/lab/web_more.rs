//! Requests to a web server, from real hosts: with their curl, and with their wget.

use evenkeel_integration_tests::{Lab, need_lab};

use super::web::{Web, booted};

fn tasks(text: &str) -> String {
    format!("become: true\ntasks:\n{text}")
}

#[test]
#[ignore = "needs root and a lab"]
fn requests_to_a_web_server() {
    if !need_lab() {
        return;
    }
    let lab = booted();
    let web = Web::new(&lab);
    reads(&lab, &web);
    sends(&lab);
    keeps(&lab);
    fails(&lab, &web);
    tls(&lab);
    hides(&lab, &web);
    for host in lab.hosts() {
        assert!(
            host.is("! ls -d /tmp/tmp.* /srv/.*.evenkeel 2>/dev/null"),
            "{}",
            host.name()
        );
    }
}

/// Each way to ask, and what is in the result.
const READS: &str = r#"
- uri: {url: 'http://10.77.0.1:8080/file/f.txt', return_content: true}
  register: file
- uri: {url: 'http://10.77.0.1:8080/file/f.txt', method: HEAD}
  register: head
- uri: {url: 'http://10.77.0.1:8080/moved', return_content: true}
  register: moved
- uri: {url: 'http://10.77.0.1:8080/moved', follow_redirects: none, status_code: 302}
  register: stayed
- uri: {url: 'http://10.77.0.1:8080/missing', status_code: [200, 404]}
  register: missing
- uri: {url: 'http://10.77.0.1:1/', status_code: -1}
  register: closed
- uri: {url: 'http://10.77.0.1:8080/file/none', creates: /etc/hostname}
  register: guarded
- assert:
    that:
      - file.content == "what the server has\n" and file.status == 200 and not file.redirected
      - file.etag == '"one"' and file.content_length == "20" and file.msg == "OK (20 bytes)"
      - file.url == "http://10.77.0.1:8080/file/f.txt" and file.elapsed == 0 and file is not changed
      - head.status == 200 and head.etag == '"one"' and head.content is not defined
      - moved.redirected and moved.content == file.content
      - stayed.status == 302 and stayed.location == "/file/f.txt" and not stayed.redirected
      - missing.status == 404 and missing.msg == "Not Found (23 bytes)"
      - closed.status == -1
      - guarded.msg == "Did not run command since '/etc/hostname' exists"
"#;

fn reads(lab: &Lab, web: &Web<'_>) {
    lab.tasks(&tasks(READS));
    web.asked();
    lab.plan(&[]).ok();
    assert_eq!(web.asked(), "", "a plan asks nobody");
    lab.run(&[]).ok().changed(0);
    assert_eq!(
        web.asked()
            .lines()
            .filter(|line| line.starts_with("HEAD "))
            .count(),
        2
    );
    lab.run(&[]).ok().changed(0);
    web.asked();
}

const SENDS: &str = r#"
- uri:
    url: "{{ at }}"
    method: POST
    body_format: json
    body: {name: "it's \"ü\" $(touch /root/pwned) `x` \\", list: [1, true, null]}
    status_code: 201
    http_agent: agent 007
  register: json
- uri: {url: "{{ at }}", method: PUT, body_format: form-urlencoded, body: {a: 'b c&d', e: [1, 2]}, status_code: 201}
  register: form
- uri:
    url: "{{ at }}"
    method: POST
    body_format: form-multipart
    body: {a: b, f: {content: x, filename: "n.txt", mime_type: text/plain}}
    status_code: 201
  register: parts
- uri: {url: "{{ at }}", method: PATCH, src: "/srv/-b 'o' \"d\".txt", remote_src: true, status_code: 201}
  register: src
- uri: {url: "{{ at }}", method: DELETE, status_code: 201}
  register: gone
- uri: {url: "{{ at }}", method: POST, status_code: 201}
  register: empty
- uri: {url: "{{ there }}", method: POST, body: x, follow_redirects: all, return_content: true}
  register: moved
- uri: {url: "{{ there }}", method: POST, body: x, status_code: 303}
  register: stayed
- uri: {url: "{{ at }}?{{ json.cookies.id }}", method: POST, body: "{{ json.json.type }}", status_code: 201}
  register: chained
- assert:
    that:
      - json.status == 201 and json is not changed and json.json.method == "POST"
      - (json.json.body | from_json).name == "it's \"ü\" $(touch /root/pwned) `x` \\"
      - (json.json.body | from_json).list == [1, true, none]
      - json.json.type == "application/json" and json.json.agent == "agent 007"
      - form.json.method == "PUT" and form.json.body == "a=b+c%26d&e=1&e=2"
      - '"name=\"f\"; filename=\"n.txt\"" in parts.json.body and "multipart/form-data" in parts.json.type'
      - src.json.body == "from a file\n" and src.json.method == "PATCH"
      - gone.json.method == "DELETE" and gone.json.body == ""
      - empty.json.method == "POST" and empty.json.body == ""
      - moved.content == "what the server has\n" and moved.redirected
      - stayed.status == 303
      - json.cookies.id == "4711"
      - chained.json.body == "application/json" and chained.url == "http://10.77.0.1:8080/echo?4711"
"#;

fn sends(lab: &Lab) {
    for host in lab.hosts() {
        host.sh(r#"echo 'from a file' >"/srv/-b 'o' \"d\".txt""#);
    }
    let vars = "vars: {at: 'http://10.77.0.1:8080/echo', there: 'http://10.77.0.1:8080/moved'}\n";
    lab.tasks(&format!("{vars}{}", tasks(SENDS)));
    lab.plan(&[]).ok();
    lab.run(&[]).ok().changed(0);
    for host in lab.hosts() {
        assert!(host.is("test ! -e /root/pwned"));
    }
}

/// What is answered is kept in a file: changed only if that was not there.
fn keeps(lab: &Lab) {
    let at = "http://10.77.0.1:8080";
    let one = format!(
        "- uri: {{url: '{at}/file/f.txt', dest: \"/srv/-k 'q'\", mode: '0640', group: deploy}}\n"
    );
    lab.tasks(&tasks(&format!(
        "{one}- uri: {{url: '{at}/file/f.txt', dest: /srv}}\n"
    )));
    lab.plan(&[]).ok();
    lab.run(&[]).ok().changed(4);
    lab.run(&[]).ok().changed(0);
    for host in lab.hosts() {
        assert_eq!(
            host.sh("cat \"/srv/-k 'q'\" /srv/f.txt"),
            "what the server has\n".repeat(2)
        );
        assert_eq!(
            host.sh("stat -c '%a %U:%G' \"/srv/-k 'q'\" /srv/f.txt"),
            "640 root:deploy\n644 root:root\n"
        );
        host.sh("echo edited >/srv/f.txt; chmod 600 /srv/f.txt \"/srv/-k 'q'\"");
    }
    lab.run(&[]).ok().changed(4);
    lab.run(&[]).ok().changed(0);
    for host in lab.hosts() {
        assert_eq!(
            host.sh("stat -c %a /srv/f.txt \"/srv/-k 'q'\""),
            "600\n640\n"
        );
    }
    lab.tasks(&tasks(&format!(
        "- uri: {{url: '{at}/file/f.txt', dest: /nowhere/f}}\n"
    )));
    lab.run(&[])
        .status(2)
        .says("the directory `/nowhere` of `dest` is not there");
}

fn fails(lab: &Lab, web: &Web<'_>) {
    let failing = |args: &str| {
        lab.tasks(&tasks(&format!("- uri: {args}\n")));
        lab.run(&[]).status(2)
    };
    failing("{url: 'http://me:geheim@10.77.0.1:8080/missing', status_code: [200, 201]}")
        .says("`http://***@10.77.0.1:8080/missing`: the server answers `404 Not Found`, not `200`, `201`")
        .says("there is no such thing")
        .never_says("geheim");
    let closed = failing("{url: 'http://10.77.0.1:1/'}")
        .to_string()
        .to_lowercase();
    assert!(
        closed.contains("`http://10.77.0.1:1/`: ") && closed.contains("connect"),
        "{closed}"
    );
    failing("{url: 'http://10.77.0.1:8080/stall/f.txt', timeout: 1}")
        .says("`http://10.77.0.1:8080/stall/f.txt`: ");
    lab.file("web/huge", &"x".repeat(800_000));
    failing("{url: 'http://10.77.0.1:8080/file/huge', return_content: true}")
        .says("the answer has 800000 bytes, more than a result can hold (700000): use `dest`");
    web.asked();
    // What failed may be judged.
    lab.tasks(&tasks(
        "- uri: {url: 'http://10.77.0.1:8080/missing'}\n  register: health\n  failed_when: health.status != 404\n\
         - assert: {that: [health.status == 404]}\n",
    ));
    lab.run(&[]).ok().changed(0);
    assert_eq!(web.asked().lines().count(), 2);
}

fn tls(lab: &Lab) {
    for host in lab.hosts() {
        host.write(
            "/srv/ca.pem",
            &std::fs::read_to_string(lab.path("web/cert.pem")).unwrap(),
        );
    }
    let url = "url: 'https://10.77.0.1:8443/file/f.txt'";
    lab.tasks(&tasks(&format!(
        "- uri: {{{url}, validate_certs: false}}\n- uri: {{{url}, ca_path: /srv/ca.pem}}\n"
    )));
    lab.run(&[]).ok().changed(0);
    lab.tasks(&tasks(&format!("- uri: {{{url}}}\n")));
    let bad = lab.run(&[]).status(2).to_string();
    assert!(bad.to_lowercase().contains("certificate"), "{bad}");
    // A socket leads to the same server.
    lab.host("curl").sh("openssl version");
    lab.tasks(&tasks(
        "- uri: {url: 'http://x/file/f.txt', unix_socket: /run/none}\n",
    ));
    lab.run(&["--limit", "wget"])
        .status(2)
        .says("`wget` cannot use a `unix_socket`: install `curl`");
    let none = lab.run(&["--limit", "curl"]).status(2);
    assert!(
        none.to_string().contains("`http://x/file/f.txt`: "),
        "{none}"
    );
}

/// A server that wants to know who asks; the lab watches for the secrets.
fn hides(lab: &Lab, web: &Web<'_>) {
    lab.tasks(&tasks(
        "- uri:\n    url: http://10.77.0.1:8080/private\n    url_username: me\n    url_password: s3cret-4711\n    \
         headers: {X-Token: s3cret-0815}\n- uri:\n    url: http://10.77.0.1:8080/echo\n    method: POST\n    \
         body_format: json\n    body: {password: s3cret-4711}\n    status_code: 201\n",
    ));
    lab.run(&[]).ok().changed(0);
    web.asked();
}
