//! `lookup('url', …)`, against a server of this process; beside Ansible, where it is at hand.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use evenkeel_integration_tests::Scratch;

use super::beside::same;

/// A server, and how often it was asked.
fn server() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counting.fetch_add(1, Ordering::SeqCst);
            serve(stream);
        }
    });
    (port, count)
}

fn serve(mut stream: TcpStream) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let asked: Vec<String> = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let header = |name: &str| {
        let lines = asked.iter().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        values.next().map_or("-", |(_, value)| value).to_owned()
    };
    let path = asked.first().and_then(|line| line.split(' ').nth(1));
    let (status, more, body) = match path.unwrap_or_default() {
        "/lines" => ("200 OK", "", "a b\r\nc\n\nd\n".to_owned()),
        "/json" => ("200 OK", "", "{\"version\": [1, 2]}".to_owned()),
        "/empty" => ("200 OK", "", String::new()),
        "/moved" => ("302 Found", "Location: /lines\r\n", String::new()),
        // `u:pw`
        "/login" if header("authorization") == "Basic dTpwdw==" => {
            ("200 OK", "", "welcome".to_owned())
        }
        "/login" => (
            "401 Unauthorized",
            "WWW-Authenticate: Basic realm=\"r\"\r\n",
            String::new(),
        ),
        "/asked" => {
            let names = ["x-a", "user-agent", "cache-control"];
            ("200 OK", "", names.map(header).join("\n"))
        }
        _ => ("404 Not Found", "", String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // The client may have gone.
    let _sent = stream.write_all((head + &body).as_bytes());
}

#[test]
fn what_a_server_answers_is_what_ansible_makes_of_it() {
    let (port, _) = server();
    let scratch = Scratch::new();
    let play = r#"
- name: what a server answers
  hosts: localhost
  vars:
    at: http://127.0.0.1:PORT
    later: "{{ lookup('url', at ~ '/json', split_lines=false) | from_json }}"
  tasks:
  - debug: {msg: "= {{ lookup('url', at ~ '/lines') }}"}
  - debug: {msg: "= {{ query('ansible.builtin.url', at ~ '/lines', at ~ '/json') }}"}
  - debug: {msg: "= {{ lookup('url', at ~ '/lines', wantlist=True) | length }}"}
  - debug: {msg: "= {{ lookup('url', at ~ '/lines', split_lines=False) | length }}"}
  - debug: {msg: "= {{ query('url', at ~ '/empty') }} {{ query('url', at ~ '/empty', split_lines=false) }}"}
  - debug: {msg: "= {{ later.version[1] }}"}
  - debug: {msg: "= {{ lookup('url', at ~ '/moved') }}"}
  - debug: {msg: "= {{ lookup('url', at ~ '/login', username='u', password='pw') }}"}
  - debug: {msg: "= {{ lookup('url', at ~ '/login', username='u', password='pw', force_basic_auth='True') }}"}
  - debug: {msg: "= {{ lookup('url', at ~ '/asked', headers={'X-A': 'one'}, force=true, timeout=20, validate_certs=false) }}"}
  - debug: {msg: "= {{ lookup('url', at ~ '/asked', http_agent='me') }}"}
    vars: {ansible_lookup_url_force: 'yes'}
  - debug: {msg: "= {{ item }}"}
    with_url: ["{{ at }}/lines"]
  - debug: {msg: "= {{ item }}"}
    with_ansible.builtin.url: "{{ at }}/json"
  - debug: {msg: "= ran"}
    when: lookup('url', at ~ '/json') is search('version')
  - debug: {msg: "= {{ lookup('url', at ~ '/none', errors='ignore') }}"}
  - debug: {msg: "= {{ query('url', at ~ '/none', errors='ignore') }}"}
  - debug: {msg: "= {{ lookup('url', at ~ '/none') }}"}
    ignore_errors: true
    register: broken
  - debug: {msg: "= {{ broken is failed }} {{ '404' in broken.msg }}"}
  - debug: {msg: "= {{ lookup('url', at ~ '/moved', follow_redirects='none') }}"}
    ignore_errors: true
    register: broken
  - debug: {msg: "= {{ broken is failed }}"}
"#;
    scratch.file("site.yml", &play.replace("PORT", &port.to_string()));
    assert!(same(&scratch, &["-i", "localhost,"]) > 20);
}

#[test]
fn no_server_is_asked_while_a_playbook_is_read_nor_in_a_plan() {
    let (port, count) = server();
    let scratch = Scratch::new();
    scratch.tasks(&format!(
        "vars: {{page: \"{{{{ lookup('url', 'http://127.0.0.1:{port}/json') }}}}\"}}\ntasks:\n- copy: {{content: '{{{{ page }}}}', dest: '{{{{ playbook_dir }}}}/got'}}\n"
    ));
    scratch.plan(&[]).says("copy");
    assert_eq!(count.load(Ordering::SeqCst), 0, "a plan asks nobody");
    scratch.run(&[]).ok();
    assert_eq!(scratch.read("got"), "{\"version\": [1, 2]}");
    assert!(count.load(Ordering::SeqCst) > 0);
}

#[test]
fn what_a_server_does_not_give_is_told_without_the_login() {
    let (port, _) = server();
    let scratch = Scratch::new();
    let fails = |expression: &str| {
        let tasks = format!("- debug: {{msg: \"{{{{ {expression} }}}}\"}}\n");
        scratch.tasks(&tasks.replace("PORT", &port.to_string()));
        scratch.run(&[])
    };
    let ended = fails("lookup('url', 'http://me:word@127.0.0.1:PORT/none')");
    let ended = ended.says("404 Not Found").says("***@127.0.0.1");
    ended.never_says("`http://me:word");
    fails("lookup('url', 'file:///etc/passwd')").says("begins with `https://` or `http://`");
    fails("lookup('url', 'http://127.0.0.1:PORT/json', unix_socket='/s')")
        .says("curl --unix-socket");
    fails("lookup('url', 'http://127.0.0.1:PORT/json', timeout='soon')").says("number of seconds");
    fails("lookup('url', 'http://127.0.0.1:PORT/json', tiemout=3)").says("tiemout");
}
