use proptest::prelude::*;

use super::*;
use crate::diagnostic::{Colour, render_all};

const SITE: &str = "
# plain hosts
mail ansible_port=2222 motd='hello # world' # a comment
lone:2200

[web]
web[01:03] kind=web
[web:vars]
http_port = 80
level=\"group web\"

[db]
db1 level=host
db2

[eu:children]
web
; and
db

[eu:vars]
level=group eu
zones=['a', 'b']

[all:vars]
level=all
";

fn read(text: &str) -> (Inventory, String) {
    let mut files = Files::new();
    let file = files.add("hosts", text);
    let (mut inventory, mut out) = (Inventory::default(), Vec::new());
    inventory.add_file(&files, file, &mut out);
    inventory.check_groups(&mut out);
    (inventory, render_all(&out, &files, Colour::Never))
}

fn json(inventory: &Inventory, host: &str) -> String {
    Value::Map(inventory.vars_of(host)).to_json().to_string()
}

#[test]
fn ini() {
    let (inventory, errors) = read(SITE);
    assert_eq!(errors, "");
    let hosts: Vec<_> = inventory.hosts.keys().collect();
    assert_eq!(
        hosts,
        ["mail", "lone", "web01", "web02", "web03", "db1", "db2"]
    );
    assert_eq!(
        json(&inventory, "mail"),
        r#"{"level":"all","ansible_port":2222,"motd":"hello # world"}"#
    );
    assert_eq!(
        json(&inventory, "lone"),
        r#"{"level":"all","ansible_port":2200}"#
    );
    assert_eq!(
        json(&inventory, "web02"),
        r#"{"level":"group web","zones":["a","b"],"http_port":80,"kind":"web"}"#
    );
    assert_eq!(
        json(&inventory, "db1"),
        r#"{"level":"host","zones":["a","b"]}"#
    );
    assert_eq!(inventory.groups_of("db1"), ["eu", "db"]);
    assert_eq!(inventory.groups_of("mail"), ["ungrouped"]);
    assert_eq!(inventory.hosts_in("ungrouped"), ["mail", "lone"]);
    assert_eq!(
        inventory.hosts_in("eu"),
        ["web01", "web02", "web03", "db1", "db2"]
    );
}

#[test]
fn patterns() {
    let (inventory, _) = read(SITE);
    let hosts = |pattern: &str| select(&inventory, pattern).unwrap().hosts.join(" ");
    for (pattern, wanted) in [
        ("db1", "db1"),
        ("all:!web", "mail lone db1 db2"),
        ("db,web[0]", "db1 db2 web01"),
        ("web[-1]:db", "web03 db1 db2"),
        ("web[1:2]", "web02 web03"),
        ("web[1:]", "web02 web03"),
        ("web[7]", ""),
        ("eu:&db", "db1 db2"),
        ("!web:eu:!db2", "db1"),
        ("!eu", "mail lone"),
        ("*02", "web02"),
        ("web0[13]", ""),
        ("web0[13]*", "web01 web03"),
        ("web0[!13]", "web02"),
        ("d?", "db1 db2"),
        ("~(web|db)0?1", "web01 db1"),
        ("~^web\\d+$,!web01", "web02 web03"),
        ("ungrouped", "mail lone"),
        ("localhost", "localhost"),
        ("web01,web01,web", "web01 web02 web03"),
    ] {
        assert_eq!(hosts(pattern), wanted, "{pattern}");
    }
    let none = select(&inventory, "wbe:mail").unwrap();
    assert_eq!(none.hosts, ["mail"]);
    assert_eq!(
        none.warnings,
        ["`wbe` matches no host and no group: did you mean `web`?"]
    );
    assert!(
        select(&inventory, "~(")
            .unwrap_err()
            .starts_with("`~(` is no regular expression")
    );
}

#[test]
fn limits() {
    let (inventory, _) = read(SITE);
    let hosts = |pattern: &str| limit(&inventory, pattern).unwrap().hosts.join(" ");
    assert_eq!(hosts("db2,mail,web01"), "db2 mail web01");
    assert_eq!(hosts("eu:!web"), "db1 db2");
    assert_eq!(limit(&inventory, "nope").unwrap().warnings.len(), 1);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "db1\n# db2\n\nweb02\n!db1\n").unwrap();
    assert_eq!(
        hosts(&format!("mail,@{}", file.path().display())),
        "mail web02"
    );
    assert!(limit(&inventory, "@/no/such").is_err());
}

#[test]
fn names_and_nothing() {
    let (inventory, out) = Inventory::read(&mut Files::new(), &[]);
    assert!(out.is_empty());
    assert_eq!(
        json(&inventory, "localhost"),
        r#"{"ansible_connection":"local"}"#
    );
    assert_eq!(select(&inventory, "all").unwrap().hosts, ["localhost"]);
    let (inventory, out) = Inventory::read(&mut Files::new(), &["h1, h2:22,h[5:6],".to_owned()]);
    assert!(out.is_empty());
    assert_eq!(inventory.hosts_in("all"), ["h1", "h2", "h5", "h6"]);
    assert_eq!(json(&inventory, "h2"), r#"{"ansible_port":22}"#);
    let (_, out) = Inventory::read(&mut Files::new(), &["no/such/file".to_owned()]);
    assert_eq!(
        out[0].message,
        "cannot read `no/such/file`: no such file or directory"
    );
}

#[test]
fn mistakes_have_a_place() {
    let (_, page) = read(
        "[web]\nh1 port 80\nh2 a='x\n[web:vrs]\n[db:vars]\nx=1\n[eu:children]\nwbe\n[a b]\nh[3:1]\n",
    );
    assert_eq!(
        page.lines()
            .filter(|line| !line.contains('|'))
            .collect::<Vec<_>>()
            .join("\n"),
        "error[inventory]: `port` is no `variable=value`
 --> hosts:2:1
  = help: one host on a line, then its variables; put quotes around values with spaces

error[inventory]: `80` is no `variable=value`
 --> hosts:2:1
  = help: one host on a line, then its variables; put quotes around values with spaces

error[inventory]: a quote is opened in this line and never closed
 --> hosts:3:1
  = help: close it

error[inventory]: nobody knows sections `:vrs`
 --> hosts:4:1
  = help: did you mean `vars`?

error[inventory]: `a b` cannot be the name of a group
 --> hosts:9:1
  = help: `[web]`

error[inventory]: variables are given to a group `db` that does not exist
 --> hosts:5:1
  = help: write the section `[db]`; it may be empty"
            .to_owned()
            + "\n\nerror[inventory]: the group `wbe` does not exist\n --> hosts:8:1\n  = help: did you mean `web`?"
    );
}

#[test]
fn groups_that_contain_themselves() {
    let (inventory, page) = read("[a:children]\nb\n[b:children]\nc\n[c:children]\na\n[d]\nh\n");
    assert!(
        page.starts_with("error[inventory]: the group `a` contains itself"),
        "{page}"
    );
    assert_eq!(page.matches("error").count(), 1);
    assert_eq!(inventory.groups_of("h"), ["d"]);
}

#[test]
fn yaml() {
    let mut files = Files::new();
    let file = files.add(
        "hosts.yml",
        "all:\n  vars: {level: all}\n  hosts:\n    lone:\n  children:\n    web:\n      hosts:\n        web[1:2]: {http_port: 80}\n      vars: {level: web}\n    eu:\n      children: {web: }\n      host: x\n",
    );
    let (mut inventory, mut out) = (Inventory::default(), Vec::new());
    inventory.add_file(&files, file, &mut out);
    assert_eq!(
        render_all(&out, &files, Colour::Never),
        "error[inventory]: a group has no key `host`\n  --> hosts.yml:12:7\n   |\n12 |       host: x\n   |       ^^^^\n   = help: did you mean `hosts`?\n"
    );
    assert_eq!(
        json(&inventory, "web2"),
        r#"{"level":"web","http_port":80}"#
    );
    assert_eq!(inventory.hosts_in("eu"), ["web1", "web2"]);
    assert_eq!(inventory.groups_of("web1"), ["eu", "web"]);
    assert_eq!(inventory.groups_of("lone"), ["ungrouped"]);
}

#[test]
fn thousands_of_hosts() {
    let mut text = "[all_of_them]\nh[0001:3000]\n".to_owned();
    for group in 0..100 {
        text.push_str("[g");
        text.push_str(&group.to_string());
        text.push_str("]\nh[0100:0400:3]\n");
    }
    let (inventory, errors) = read(&text);
    assert_eq!(errors, "");
    let grouped = inventory
        .hosts
        .keys()
        .map(|host| inventory.groups_of(host).len());
    assert_eq!(grouped.max(), Some(101));
    assert_eq!(
        select(&inventory, "all:!g7").unwrap().hosts.len(),
        3000 - 101
    );
}

proptest! {
    #[test]
    fn no_inventory_panics(text in "[\\[\\]:#;=a-c0-3 \n'\"{},~!&*é-]{0,80}") {
        let (inventory, _) = read(&text);
        for host in inventory.hosts.keys() {
            inventory.vars_of(host);
        }
    }

    #[test]
    fn no_pattern_panics(pattern in "[\\[\\]:,!&~*?a-d0-3.-]{0,20}") {
        let (inventory, _) = read(SITE);
        if let Ok(selection) = select(&inventory, &pattern) {
            for host in selection.hosts {
                prop_assert!(inventory.hosts.contains_key(&host));
            }
        }
    }
}
