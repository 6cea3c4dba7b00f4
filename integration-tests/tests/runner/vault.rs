//! Runs whose variables and files are encrypted: all of it is used, and none of it shows.

use evenkeel_integration_tests::{Ended, Scratch, need};

/// `vault_user: app`, `vault_password: s3cret-w0rd` and `url`, made of both, for the password `hunter2`; by
/// `ansible-vault encrypt`.
const FILE: &str = "\
$ANSIBLE_VAULT;1.1;AES256
38323464353337323436663639666435376237363439383831343233323739643839393361626637
3763646234363638633133646430623461323639643435360a306664303737653437316265323365
31623133356664376231663265636638613362666261363662376333656131643665656230646435
3234636431613063330a366634386339646337323839393062303365303761333532616366363334
32613138306362356337653338353962356138396463363131663839303462316365636661656364
32303638343139323832386661353437313935346331326335663662646639356137383963326237
66393533386362353666396166366561643736396565393435306238663363383565303837343666
63633462363636636635336337366133313434616138336461373463313136363432333731383237
37343233383333663835386336626333386137623162346563346537663036643738
";

/// `inl1ne-s3cret`, for the password `dev-pass` of the id `dev`; by `ansible-vault encrypt_string`.
const VALUE: &str = "\
$ANSIBLE_VAULT;1.2;AES256;dev
66613734353964353663616437323938666135313730373232396462346637623831366231316661
3431643062663333316433643236386130323266313462330a303436363666396335343335613431
65623435306432353462306439343532383239643337346434643265326166373738336339386636
3966663333633465350a333530643836383137333036343962363632613664306564333330353364
3737
";

const TASKS: &str = "
- name: write
  copy: {dest: '{{ playbook_dir }}/out', content: \"{{ url }} {{ token }}\\n\", mode: '0600'}
- name: say
  debug: {msg: '{{ url }} {{ hostvars.localhost.token }}'}
- name: echo
  command: echo {{ vault_password }}
  register: echoed
  changed_when: false
- name: set
  set_fact: {mine: '{{ echoed.stdout }}-{{ token }}'}
- name: say what was set
  debug: {var: mine}
- name: fail
  command: sh -c 'echo {{ mine }} >&2; exit 1'
  ignore_errors: true
- name: loop
  debug: {msg: '{{ item }}'}
  loop: ['{{ token }}', '{{ vault_password }}']
";

const SECRETS: [&str; 2] = ["s3cret-w0rd", "inl1ne-s3cret"];

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.tasks(TASKS);
    scratch.file("group_vars/all/vault.yml", FILE);
    let lines = VALUE.trim_end().replace('\n', "\n  ");
    scratch.file(
        "group_vars/all/main.yml",
        &format!("token: !vault |\n  {lines}\n"),
    );
    scratch
        .file("word", "hunter2\n")
        .file("dev-word", "dev-pass\n");
    scratch
}

fn silent(ended: Ended) -> Ended {
    SECRETS.into_iter().fold(ended, Ended::never_says)
}

#[test]
fn secrets_are_used_and_never_show() {
    let scratch = scratch();
    let keys = [
        "--vault-password-file",
        "word",
        "--vault-id",
        "dev@dev-word",
    ];
    let with = |more: &[&'static str]| [&keys[..], more].concat();
    silent(scratch.plan(&keys));
    silent(scratch.run(&with(&["--diff", "-vvv"])).ok().changed(1));
    let written = "db://app:s3cret-w0rd@h inl1ne-s3cret\n";
    assert_eq!(scratch.read("out"), written);
    // What was recorded on the host tells nothing, and the second run finds nothing to do.
    silent(scratch.run(&keys).ok().changed(0));
    let recorded = scratch.tree(".state");
    assert!(!recorded.is_empty());
    for secret in SECRETS {
        assert!(!recorded.contains(secret), "{recorded}");
    }
    for word in [
        &["ledger", "show", "localhost"][..],
        &["inventory", "--host", "localhost"],
    ] {
        let mut args = word.to_vec();
        args.extend(keys);
        silent(scratch.evenkeel(&args));
    }
}

/// What the real program writes is read here, and the other way round.
#[test]
fn ansible_vault_reads_what_we_write_and_we_what_it_writes() {
    if !need("ansible-vault", "command -v ansible-vault") {
        return;
    }
    let scratch = Scratch::new();
    let texts = [
        "",
        "a: 1\n",
        "sixteen bytes...",
        "ünïcode\r\n\n",
        &"long ".repeat(500),
    ];
    scratch.file("word", " two words\n").file("dev-word", "dev");
    let ansible = |args: &[&str]| {
        scratch
            .ended(scratch.within("ansible-vault").args(args))
            .ok()
    };
    for (number, text) in texts.into_iter().enumerate() {
        let keys = match number % 2 {
            0 => ["--vault-password-file", "word"],
            _ => ["--vault-id", "dev@dev-word"],
        };
        let name = format!("{number}.yml");
        let with = |words: &[&'static str]| [words, &keys].concat();
        let mut ours = with(&["vault", "encrypt"]);
        ours.push(&name);
        scratch.file(&name, text).evenkeel(&ours).ok();
        assert!(scratch.read(&name).starts_with("$ANSIBLE_VAULT;"));
        let mut theirs = with(&["decrypt"]);
        theirs.push(&name);
        ansible(&theirs);
        assert_eq!(scratch.read(&name), text, "theirs, of {name}");
        let mut theirs = with(&["encrypt"]);
        theirs.push(&name);
        ansible(&theirs);
        let mut ours = with(&["vault", "decrypt"]);
        ours.push(&name);
        scratch.evenkeel(&ours).ok();
        assert_eq!(scratch.read(&name), text, "ours, of {name}");
    }
}
