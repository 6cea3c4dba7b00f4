//! `uri`.

use evenkeel_engine::{
    Done, NotYet, Secret, Value,
    fake::{self, Call, FakeHost, World},
};

use crate::support::{Expect, case};

/// Together, these set every argument there is, none to its default.
pub(crate) const SAMPLES: &[&str] = &[
    "uri: {url: 'http://h/f', method: post, body: {a: b}, body_format: json, status_code: [200, '201,202'], \
     headers: {X-A: b}, return_content: true, creates: [/c], removes: [/r], dest: /d, owner: o, group: g, \
     mode: '0600', follow_redirects: none, timeout: 5, url_username: me, url_password: pw, force_basic_auth: true, \
     validate_certs: false, ca_path: /ca, client_cert: /c, client_key: /k, http_agent: a, unix_socket: /s, \
     use_proxy: false}",
    "uri: {url: 'http://h/f', method: PUT, src: /f, remote_src: true}",
];

/// A server that tells what it was sent, and the script's part in it.
fn answers(world: &mut World, call: &Call) -> Done {
    let args = call.args();
    let ["-c", _, "uri", lengths @ ..] = &args[..] else {
        return fake::failed(2, "not a request");
    };
    let mut rest = &call.stdin[..];
    let mut parts = lengths[..5].iter().map(|length| {
        let (part, after) = rest.split_at(length.parse().expect("a length"));
        rest = after;
        String::from_utf8_lossy(part).into_owned()
    });
    let [_script, curl, _wget, url, body] =
        std::array::from_fn(|_| parts.next().expect("five parts"));
    let [shown, codes, _all, _max, _socket, dest, ..] = lengths[5..] else {
        return fake::failed(2, "not a request");
    };
    let (code, text) = match url.rsplit('/').next() {
        Some("gone") => ("404", "Not Found"),
        _ => ("200", "OK"),
    };
    let sent: Vec<&str> = curl
        .lines()
        .filter(|line| {
            ["request", "header", "user", "head", "data"]
                .iter()
                .any(|word| line.starts_with(word))
        })
        .collect();
    let sent = format!("{} {body}", sent.join(" "));
    // No server tells others what it is told in confidence.
    let sent = if sent.contains("c0ffee") {
        "confidential".to_owned()
    } else {
        sent
    };
    let head = format!("HTTP/1.1 {code} {text}\r\nX-Served-By: us\r\n\r\n");
    let said = format!(
        "{code} 0 {} {} 1\n{url}\n{head}{sent}",
        head.len(),
        sent.len()
    );
    let done = Done {
        stdout: said.into_bytes(),
        ..Done::default()
    };
    if !codes.split(' ').any(|good| good == code) {
        let stderr = format!("`{shown}`: the server answers `{code} {text}`, not `{codes}`\n");
        return Done {
            status: 1,
            stderr: stderr.into_bytes(),
            ..done
        };
    }
    if dest.is_empty() {
        return done;
    }
    if world.read(dest) == Some(sent.as_bytes()) {
        return Done { status: 3, ..done };
    }
    world.write(dest, sent);
    done
}

fn host() -> FakeHost {
    FakeHost::new()
        .dir("/srv")
        .program("curl", |_, _| fake::ok(""))
        .program("sh", answers)
}

pub(crate) fn cases() -> Vec<Expect> {
    let mut cases = answered();
    cases.extend(bodies());
    cases.extend(refusals());
    cases
}

fn answered() -> Vec<Expect> {
    vec![
        case(
            "URI-01 a good answer",
            "uri: {url: 'http://web/f', return_content: true}",
        )
        .on(host())
        .changes(["GET http://web/f"])
        .gives("status", "200")
        .gives("x_served_by", "\"us\"")
        .gives("msg", "\"OK (1 bytes)\"")
        .gives("redirected", "false"),
        case("URI-01 another than 200", "uri: {url: 'http://web/gone'}")
            .on(host())
            .fails("the server answers `404 Not Found`, not `200`"),
        case(
            "URI-01 another than 200 is good",
            "uri: {url: 'http://web/gone', status_code: '200, 404'}",
        )
        .on(host())
        .changes(["GET http://web/gone"])
        .gives("status", "404"),
        case(
            "URI-02 a login is in no argument",
            "uri: {url: 'http://web/f', url_username: me}",
        )
        .arg("url_password", Value::Secret(Secret::new("hunter2c0ffee")))
        .on(host())
        .changes(["GET http://web/f"]),
        case(
            "URI-05 an answer in a file",
            "uri: {url: 'http://web/f', dest: /srv/f}",
        )
        .on(host())
        .changes(["GET http://web/f"])
        .then("/srv/f", "file")
        .gives("path", "\"/srv/f\""),
        case(
            "URI-06 what it creates is there",
            "uri: {url: 'http://web/f', creates: /srv/f}",
        )
        .on(host().file("/srv/f", ""))
        .gives("msg", "\"Did not run command since '/srv/f' exists\""),
        case(
            "URI-06 what it creates is not there",
            "uri: {url: 'http://web/f', method: POST, creates: /srv/f}",
        )
        .on(host())
        .changes(["POST http://web/f"]),
        case(
            "URI-09 no program that could send it",
            "uri: {url: 'http://web/f'}",
        )
        .on(FakeHost::new())
        .not_yet("`curl` or `wget` on the host"),
        case(
            "URI-10 the token is not known yet",
            "uri: {url: 'http://web/f'}",
        )
        .arg(
            "headers",
            Value::Map(
                [(
                    "Authorization".to_owned(),
                    Value::NotYet(NotYet::new("the result of `login`")),
                )]
                .into_iter()
                .collect(),
            ),
        )
        .on(host())
        .not_yet("the result of `login`"),
    ]
}

fn bodies() -> Vec<Expect> {
    let sends = |name: &str, yaml: &str, sent: &str| {
        case(name, yaml)
            .on(host())
            .changes(["POST http://web/f"])
            .gives("content", &serde_json::Value::from(sent).to_string())
    };
    let data = "data-binary = \"@data\" header = \"Expect:\"";
    vec![
        sends(
            "URI-04 JSON",
            "uri: {url: 'http://web/f', method: post, body_format: json, body: {a: [1, b]}}",
            &format!("header = \"Content-Type: application/json\" {data} {{\"a\": [1, \"b\"]}}"),
        ),
        sends(
            "URI-04 a form",
            "uri: {url: 'http://web/f', method: POST, body_format: form-urlencoded, body: {a: 'b c'}}",
            &format!("header = \"Content-Type: application/x-www-form-urlencoded\" {data} a=b+c"),
        ),
        sends(
            "URI-04 another type is kept",
            "uri: {url: 'http://web/f', method: POST, body_format: json, body: {}, headers: {content-type: x/y}}",
            &format!("header = \"content-type: x/y\" {data} {{}}"),
        ),
        sends(
            "URI-04 nothing",
            "uri: {url: 'http://web/f', method: POST}",
            "data-binary = \"\" ",
        ),
        case(
            "URI-04 another method",
            "uri: {url: 'http://web/f', method: DELETE}",
        )
        .on(host())
        .changes(["DELETE http://web/f"])
        .gives("content", "\"request = \\\"DELETE\\\" \""),
        case(
            "URI-08 secrets in a body",
            "uri: {url: 'http://web/f', method: POST, body_format: json}",
        )
        .arg(
            "body",
            Value::Map(
                [(
                    "password".to_owned(),
                    Value::Secret(Secret::new("hunter2c0ffee")),
                )]
                .into_iter()
                .collect(),
            ),
        )
        .on(host())
        .changes(["POST http://web/f"])
        .gives("content", "\"confidential\""),
    ]
}

fn refusals() -> Vec<Expect> {
    vec![
        case("URI-11 no address", "uri: {url: ftp://h/f}").refused("is no address of the web"),
        case(
            "URI-11 no status",
            "uri: {url: 'http://h/', status_code: [OK]}",
        )
        .refused("no status of an answer"),
        case(
            "URI-11 a map as it is",
            "uri: {url: 'http://h/', body: {a: b}}",
        )
        .refused("which is no text"),
        case(
            "URI-11 two bodies",
            "uri: {url: 'http://h/', body: a, src: /f, remote_src: true}",
        )
        .refused("exclude each other"),
        case(
            "URI-11 a file of the controller",
            "uri: {url: 'http://h/', src: f}",
        )
        .refused("is a file of the controller"),
        case(
            "URI-11 a method that breaks out",
            "uri: {url: 'http://h/', method: \"GET\\nX: y\"}",
        )
        .refused("is no method of HTTP"),
        case(
            "URI-11 a header that breaks out",
            "uri: {url: 'http://h/', headers: {X: \"a\\nb\"}}",
        )
        .refused("line break"),
        case(
            "URI-11 a mode of nothing",
            "uri: {url: 'http://h/', mode: '0600'}",
        )
        .refused("about a `dest`"),
    ]
}
