//! Where texts go, and what comes of it. In all patterns `§` is the text, `®` a regular expression for it, `†` it as a
//! field of `fstab`, `№` its number, and `DIR` a directory that the pair has for itself.

/// A place where a text goes.
pub(super) struct Spot {
    pub(super) host: &'static str,
    pub(super) name: &'static str,
    /// What there has to be before, as lines for `sh` in `DIR`.
    pub(super) before: &'static str,
    /// A file of this machine: its name and what it holds.
    pub(super) file: Option<(&'static str, &'static str)>,
    /// The tasks, as JSON.
    pub(super) tasks: &'static str,
    /// A line for `sh` in `DIR` that shows what came of it.
    pub(super) look: Option<&'static str>,
    /// What that prints.
    pub(super) gives: &'static str,
    /// A file that holds the text on this machine afterwards.
    pub(super) here: Option<&'static str>,
    /// The words of the texts that are refused when they are loaded; `*` is all.
    pub(super) refused: &'static [&'static str],
    /// The words of those whose tasks fail.
    pub(super) fails: &'static [&'static str],
    /// If it is not empty: no other texts.
    pub(super) only: &'static [&'static str],
    /// These texts do not go there.
    pub(super) without: &'static [&'static str],
    /// It is done again each time.
    pub(super) always: bool,
}

impl Spot {
    const fn new(host: &'static str, name: &'static str, tasks: &'static str) -> Self {
        Self {
            host,
            name,
            before: "true",
            file: None,
            tasks,
            look: None,
            gives: "§",
            here: None,
            refused: &[],
            fails: &[],
            only: &[],
            without: &[],
            always: false,
        }
    }

    const fn before(self, before: &'static str) -> Self {
        Self { before, ..self }
    }

    const fn file(self, name: &'static str, text: &'static str) -> Self {
        let file = Some((name, text));
        Self { file, ..self }
    }

    const fn look(self, line: &'static str) -> Self {
        let look = Some(line);
        Self { look, ..self }
    }

    const fn gives(self, gives: &'static str) -> Self {
        Self { gives, ..self }
    }

    const fn here(self, path: &'static str) -> Self {
        let here = Some(path);
        Self { here, ..self }
    }

    const fn refused(self, refused: &'static [&'static str]) -> Self {
        Self { refused, ..self }
    }

    const fn fails(self, fails: &'static [&'static str]) -> Self {
        Self { fails, ..self }
    }

    const fn only(self, only: &'static [&'static str]) -> Self {
        Self { only, ..self }
    }

    const fn without(self, without: &'static [&'static str]) -> Self {
        Self { without, ..self }
    }

    const fn always(self) -> Self {
        Self {
            always: true,
            ..self
        }
    }
}

const fn one(name: &'static str, tasks: &'static str) -> Spot {
    Spot::new("one", name, tasks)
}

const fn web(name: &'static str, tasks: &'static str) -> Spot {
    Spot::new("web", name, tasks)
}

const fn red(name: &'static str, tasks: &'static str) -> Spot {
    Spot::new("red", name, tasks)
}

/// Files of this machine that all share.
pub(super) const FILES: &[(&str, &str)] = &[
    ("templates/t.j2", "{{ v }}"),
    ("args.sh", "printf %s \"$1\" >\"$2\"\n"),
];

/// Done once on the host `one`.
pub(super) const BEFORE: &str = "mkdir -p /srv/h/x && cd /srv/h/x && printf x >f && tar cf f.tar f && git init -q -b main w \
     && cd w && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one";

/// The names of what is empty, which is what was made.
const EMPTY: &str = "find . -mindepth 1 -empty -printf %P";

/// The names of files.
const FILE: &str = "find . -type f -printf %P";

const ALL: &[&str] = &["*"];

/// A few, where each takes long.
const SOME: &[&str] = &["program", "dash", "lines", "slashes", "unicode"];

/// Fewer, where all of them come to the same.
const FEW: &[&str] = &["program", "dash", "lines"];

pub(super) const SPOTS: &[Spot] = &[
    // Paths.
    one("file.path", r#"{"file": {"path": "DIR/§", "state": "directory"}}"#).look(EMPTY),
    one("file.absent", r#"{"file": {"path": "DIR/§", "state": "absent"}}"#)
        .before("mkdir -p ./§/x")
        .look("test -e ./§ || printf gone")
        .gives("gone"),
    one("file.src", r#"{"file": {"path": "DIR/l", "src": "§", "state": "link", "force": true}}"#)
        .look("readlink -n l"),
    one("file.hard", r#"{"file": {"path": "DIR/l", "src": "DIR/§", "state": "hard"}}"#)
        .before("mkdir -p ./§; rmdir ./§; echo x >./§")
        .look("test l -ef ./§ && printf same")
        .gives("same"),
    one("file.recurse", r#"{"file": {"path": "DIR", "state": "directory", "recurse": true, "mode": "u=rwX,go="}}"#)
        .before("mkdir -p ./§")
        .look("stat -c %a ./§")
        .gives("700\n"),
    one("file.owner", r#"{"file": {"path": "DIR", "owner": "§"}}"#).only(FEW).fails(ALL),
    one("file.group", r#"{"file": {"path": "DIR", "group": "§"}}"#).only(FEW).fails(ALL),
    one("file.mode", r#"{"file": {"path": "DIR", "mode": "§"}}"#).refused(ALL),
    one("file.time", r#"{"file": {"path": "DIR", "modification_time": "§"}}"#).refused(ALL),
    one("copy.dest", r#"{"copy": {"dest": "DIR/§", "content": "§"}}"#)
        .before("mkdir -p ./§; rmdir ./§")
        .look("find . -type f -printf %P=; cat ./§")
        .gives("§=§"),
    one("copy.backup", r#"{"copy": {"dest": "DIR/§", "content": "§", "backup": true}}"#)
        .before("mkdir -p ./§; rmdir ./§; echo x >./§")
        .look("cat ./§ ./§.*")
        .gives("§x\n")
        .fails(&["long"]),
    one("copy.src", r#"{"copy": {"src": "files/№/§", "dest": "DIR/f"}}"#)
        .file("files/№/§", "§")
        .look("cat f"),
    one("copy.remote_src", r#"{"copy": {"src": "DIR/§", "remote_src": true, "dest": "DIR/f"}}"#)
        .before("mkdir -p ./§; rmdir ./§; printf %s § >./§")
        .look("cat f"),
    one("copy.checksum", r#"{"copy": {"content": "x", "checksum": "§", "dest": "DIR/f"}}"#).refused(ALL),
    one("template.dest", r#"{"file-template": {"src": "t.j2", "dest": "DIR/§"}, "vars": {"v": "§"}}"#)
        .before("mkdir -p ./§; rmdir ./§")
        .look("find . -type f -printf %P=; cat ./§")
        .gives("§=§"),
    one("template.src", r#"{"file-template": {"src": "n/№/§", "dest": "DIR/f"}}"#)
        .file("templates/n/№/§", "x")
        .look("cat f")
        .gives("x"),
    one("stat.path", r#"{"stat": {"path": "DIR/§"}, "register": "r"},
        {"copy": {"dest": "DIR/f", "content": "{{ r.stat.path }}={{ r.stat.exists }}"}}"#)
        .before("mkdir -p ./§")
        .look("cat f")
        .gives("DIR/§=True"),
    one("slurp.src", r#"{"slurp": {"src": "DIR/§"}, "register": "r"},
        {"copy": {"dest": "DIR/f", "content": "{{ r.content | b64decode }}"}}"#)
        .before("mkdir -p ./§; rmdir ./§; printf %s § >./§")
        .look("cat f"),
    one("find.paths", r#"{"find": {"paths": ["DIR/d/§"], "hidden": true}, "register": "r"},
        {"copy": {"dest": "DIR/f", "content": "{{ r.files | map(attribute='path') | join('|') }}"}}"#)
        .before("mkdir -p ./d/§; printf %s § >./d/§/x")
        .look("cat f")
        .gives("DIR/d/§/x"),
    one("find.patterns", r#"{"find": {"paths": ["DIR/d"], "patterns": ["®"], "use_regex": true, "recurse": true}, "register": "r"},
        {"copy": {"dest": "DIR/f", "content": "{{ r.files | map(attribute='path') | join('|') }}"}}"#)
        .before("mkdir -p ./d/§; rmdir ./d/§; printf %s § >./d/§")
        .look("cat f")
        .gives("DIR/d/§")
        .without(&["program", "operators", "lines"]),
    one("tempfile.prefix", r#"{"tempfile": {"path": "DIR", "prefix": "§"}}"#)
        .look("find . -type f -printf %P | head -c -8")
        .always()
        .refused(&["program", "operators", "lines", "long", "up"]),
    one("tempfile.suffix", r#"{"tempfile": {"path": "DIR", "suffix": "§"}}"#)
        .look("find . -type f -printf %P | tail -c +17")
        .always()
        .refused(&["program", "operators", "lines", "long", "up"]),
    one("tempfile.path", r#"{"tempfile": {"path": "DIR/§", "state": "directory"}}"#)
        .before("mkdir -p ./§")
        .look("find ./§ -mindepth 1 -printf '%h %m' | tail -c +3")
        .gives("§ 700")
        .always(),
    one("fetch.src", r#"{"fetch": {"src": "DIR/§", "dest": "got/№", "flat": true}}"#)
        .before("mkdir -p ./§; rmdir ./§; printf %s § >./§")
        .here("got/№")
        .only(SOME),
    one("fetch.dest", r#"{"fetch": {"src": "DIR/f", "dest": "fetched/№/§", "flat": true}}"#)
        .before("printf %s § >f")
        .here("fetched/№/§")
        .only(SOME),
    one("unarchive.dest", r#"{"unarchive": {"src": "/srv/h/x/f.tar", "remote_src": true, "dest": "DIR/§"}}"#)
        .before("mkdir -p ./§")
        .look("cat ./§/f")
        .gives("x")
        .only(SOME),
    one("unarchive.src", r#"{"unarchive": {"src": "DIR/§", "remote_src": true, "dest": "DIR"}}"#)
        .before("mkdir -p ./§; rmdir ./§; cp /srv/h/x/f.tar ./§")
        .look("cat f")
        .gives("x")
        .only(SOME),
    one("unarchive.include", r#"{"unarchive": {"src": "DIR/a.tar", "remote_src": true, "dest": "DIR/d", "include": ["§"]}}"#)
        .before("mkdir -p d ./§; rmdir ./§; printf x >./§; tar cf a.tar --no-wildcards ./§ --transform 's,^[.]/,,'")
        .look("cat d/§")
        .gives("x")
        .refused(&["dash"])
        .fails(&["lines"])
        .only(&["program", "dash", "lines", "unicode"]),
    one("wait_for.path", r#"{"wait_for": {"path": "DIR/§", "timeout": 2}}"#).before("mkdir -p ./§")
        .only(SOME),
    one("wait_for.search_regex", r#"{"wait_for": {"path": "DIR/f", "search_regex": "®", "timeout": 2}}"#)
        .before("printf '%s\\n' § >f")
        .only(&["program", "dash", "slashes", "unicode"]),
    // Files that are edited.
    one("lineinfile.line", r#"{"lineinfile": {"path": "DIR/§", "line": "§", "create": true}}"#)
        .look("cat ./§")
        .gives("§\n"),
    one("lineinfile.regexp", r#"{"lineinfile": {"path": "DIR/f", "regexp": "^®$", "line": "<§>"}}"#)
        .before("printf 'a\\n%s\\nb\\n' § >f")
        .look("cat f")
        .gives("a\n<§>\nb\n")
        .without(&["lines"]),
    one("lineinfile.search_string", r#"{"lineinfile": {"path": "DIR/f", "search_string": "§", "state": "absent"}}"#)
        .before("printf 'a\\n<%s>\\nb\\n' § >f")
        .look("cat f")
        .gives("a\nb\n")
        .without(&["lines"]),
    one("lineinfile.insertafter", r#"{"lineinfile": {"path": "DIR/f", "insertafter": "^®$", "line": "new"}}"#)
        .before("printf 'a\\n%s\\nb\\n' § >f")
        .look("cat f")
        .gives("a\n§\nnew\nb\n")
        .without(&["lines"]),
    one("blockinfile.block", r#"{"blockinfile": {"path": "DIR/§", "block": "§", "create": true}}"#)
        .look("cat ./§")
        .gives("# BEGIN ANSIBLE MANAGED BLOCK\n§\n# END ANSIBLE MANAGED BLOCK\n"),
    one("blockinfile.marker", r#"{"blockinfile": {"path": "DIR/f", "block": "x", "create": true, "marker": "{mark} §"}}"#)
        .look("cat f")
        .gives("BEGIN §\nx\nEND §\n")
        .refused(&["lines"]),
    one("replace.regexp", r#"{"replace": {"path": "DIR/f", "regexp": "®", "replace": "x"}}"#)
        .before("printf '<%s>\\n' § >f")
        .look("cat f")
        .gives("<x>\n"),
    one("replace.replace", r#"{"replace": {"path": "DIR/f", "regexp": "^x$", "replace": "§"}}"#)
        .before("printf '1\\nx\\n' >f")
        .look("cat f")
        .gives("1\n§\n")
        .without(&["slashes"]),
    one("ini_file.value", r#"{"ini_file": {"path": "DIR/f", "section": "s", "option": "o", "value": "§"}}"#)
        .look("cat f")
        .gives("[s]\no = §\n")
        .without(&["lines"]),
    one("ini_file.option", r#"{"ini_file": {"path": "DIR/f", "section": "s", "option": "§", "value": "v"}}"#)
        .look("cat f")
        .gives("[s]\n§ = v\n")
        .refused(&["lines", "spaces", "braces"]),
    one("ini_file.section", r#"{"ini_file": {"path": "DIR/f", "section": "§", "option": "o", "value": "v"}}"#)
        .look("cat f")
        .gives("[§]\no = v\n")
        .refused(&["lines", "spaces", "glob"]),
    // Programs.
    one("command.argv", r#"{"command": {"argv": ["sh", "-c", "printf %s \"$1\" >DIR/f", "x", "§"], "creates": ["DIR/f"], "expand_argument_vars": false}}"#)
        .look("cat f"),
    one("command.chdir", r#"{"command": {"argv": ["touch", "f"], "chdir": "DIR/§"}}"#)
        .before("mkdir -p ./§")
        .look("find . -type f -printf %h | tail -c +3")
        .always()
        .only(SOME),
    one("command.stdin", r#"{"command": {"argv": ["dd", "status=none", "of=DIR/f"], "stdin": "§", "stdin_add_newline": false, "creates": ["DIR/f"]}}"#)
        .look("cat f"),
    one("environment", r#"{"command": {"argv": ["sh", "-c", "printf %s \"$EK_X\" >DIR/f"], "creates": ["DIR/f"], "expand_argument_vars": false}, "environment": {"EK_X": "§"}}"#)
        .look("cat f"),
    one("shell.quote", r#"{"shell": {"cmd": "printf %s {{ v | quote }} >DIR/f", "creates": ["DIR/f"]}, "vars": {"v": "§"}}"#)
        .look("cat f"),
    one("script.argv", r#"{"script": {"src": "args.sh", "executable": "/bin/sh", "argv": ["§", "DIR/f"], "creates": ["DIR/f"]}}"#)
        .look("cat f")
        .only(SOME),
    one("become_user", r#"{"command": {"argv": ["touch", "DIR/f"]}, "become_user": "§"}"#).only(FEW).fails(ALL),
    // What a system is made of.
    one("cron.name", r#"{"cron": {"name": "§", "job": "§", "user": "root", "cron_file": "DIR/f"}}"#)
        .look("cat f")
        .gives("#Ansible: §\n* * * * * root §\n")
        .refused(&["lines"])
        .without(&["spaces"]),
    one("cron.crontab", r#"{"cron": {"name": "§", "job": "§", "user": "deploy"}}"#)
        .look("crontab -u deploy -l | grep -cxF -e '#Ansible: '§ -e '* * * * * '§")
        .gives("2\n")
        .refused(&["lines"])
        .only(SOME),
    one("cron.user", r#"{"cron": {"name": "x", "job": "x", "user": "§"}}"#).only(FEW).fails(ALL),
    one("cron.cron_file", r#"{"cron": {"name": "x", "job": "x", "user": "root", "cron_file": "§"}}"#)
        .refused(ALL)
        .only(&["program", "operators", "lines", "up"]),
    one("cron.env", r#"{"cron": {"name": "§", "job": "x", "env": true, "user": "root", "cron_file": "DIR/f"}}"#).refused(ALL),
    one("cron.value", r#"{"cron": {"name": "V", "job": "§", "env": true, "user": "root", "cron_file": "DIR/f"}}"#)
        .look("cat f")
        .gives("V=\"§\"\n")
        .refused(&["lines"])
        .without(&["spaces"]),
    one("cron.minute", r#"{"cron": {"name": "x", "job": "x", "minute": "§", "user": "root", "cron_file": "DIR/f"}}"#).refused(ALL),
    one("sysctl.name", r#"{"sysctl": {"name": "§", "value": "1", "sysctl_file": "DIR/f", "reload": false}}"#)
        .refused(ALL)
        .without(&["glob", "home", "long"]),
    one("sysctl.value", r#"{"sysctl": {"name": "kernel.domainname", "value": "§", "sysctl_file": "DIR/f", "reload": false}}"#)
        .look("cat f")
        .gives("kernel.domainname=§\n")
        .refused(&["lines"])
        .without(&["spaces"]),
    one("useradd.name", r#"{"useradd": {"name": "§"}}"#)
        .refused(&["program", "operators", "dash", "help", "lines", "spaces", "slashes", "unicode", "braces", "up"])
        .fails(&["home", "long"])
        .without(&["glob"]),
    one("useradd.comment", r#"{"useradd": {"name": "c№", "comment": "§", "create_home": false}}"#)
        .look("getent passwd c№ | cut -d: -f5")
        .gives("§\n")
        .refused(&["lines", "spaces"])
        .only(&["program", "lines", "spaces", "slashes", "unicode"]),
    one("useradd.home", r#"{"useradd": {"name": "h№", "home": "DIR/§", "create_home": false}}"#)
        .look("getent passwd h№ | cut -d: -f6")
        .gives("DIR/§\n")
        .refused(&["lines", "spaces"])
        .only(&["program", "lines", "spaces", "slashes", "unicode"]),
    one("useradd.shell", r#"{"useradd": {"name": "s№", "shell": "/bin/§", "create_home": false}}"#)
        .look("getent passwd s№ | cut -d: -f7")
        .gives("/bin/§\n")
        .refused(&["lines", "spaces"])
        .only(&["program", "lines", "spaces", "slashes", "unicode"]),
    one("useradd.group", r#"{"useradd": {"name": "g№", "group": "§", "create_home": false}}"#).only(FEW).fails(ALL),
    one("useradd.groups", r#"{"useradd": {"name": "gs№", "groups": ["§"], "create_home": false}}"#).only(FEW).fails(ALL),
    one("useradd.password", r#"{"useradd": {"name": "p№", "password": "§", "create_home": false}}"#)
        .look("getent shadow p№ | cut -d: -f2")
        .gives("§\n")
        .refused(&["lines", "spaces"])
        .only(&["program", "lines", "spaces", "slashes", "unicode"]),
    one("group.name", r#"{"group": {"name": "§"}}"#)
        .refused(&["program", "operators", "dash", "help", "lines", "spaces", "slashes", "unicode", "braces", "up"])
        .fails(&["home", "long"])
        .without(&["glob"]),
    one("authorized_key.comment", r#"{"authorized_key": {"user": "deploy", "path": "DIR/f", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", "comment": "§", "manage_dir": false}}"#)
        .look("cat f")
        .gives("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl §\n")
        .refused(&["lines", "spaces"]),
    one("authorized_key.options", r#"{"authorized_key": {"user": "deploy", "path": "DIR/f", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", "key_options": "command=\"§\"", "manage_dir": false}}"#)
        .look("cat f")
        .gives("command=\"§\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n")
        .refused(&["lines", "program", "slashes"]),
    one("authorized_key.user", r#"{"authorized_key": {"user": "§", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"}}"#)
        .only(FEW).fails(ALL),
    one("authorized_key.path", r#"{"authorized_key": {"user": "root", "path": "DIR/§", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", "manage_dir": false}}"#)
        .before("mkdir -p ./§; rmdir ./§")
        .look(FILE),
    one("authorized_key.key", r#"{"authorized_key": {"user": "root", "key": "§"}}"#).refused(ALL),
    one("hostname.name", r#"{"hostname": {"name": "§"}}"#).refused(ALL),
    one("mount.path", r#"{"mount": {"path": "DIR/§", "src": "§", "fstype": "tmpfs", "opts": "ro", "state": "present", "fstab": "DIR/f"}}"#)
        .look("cat f")
        .gives("† DIR/† tmpfs ro 0 0\n")
        .refused(&["lines"]),
    one("mount.mounted", r#"{"mount": {"path": "DIR/§", "src": "t", "fstype": "tmpfs", "state": "mounted", "fstab": "DIR/f"}}"#)
        .look("stat -fc %T ./§; umount ./§ && mount -t tmpfs t ./§")
        .gives("tmpfs\n")
        .refused(&["lines"])
        .only(FEW),
    one("mount.opts", r#"{"mount": {"path": "DIR/m", "src": "t", "fstype": "tmpfs", "opts": "§", "state": "present", "fstab": "DIR/f"}}"#)
        .look("cat f")
        .gives("t DIR/m tmpfs † 0 0\n")
        .refused(&["braces", "dash", "help", "lines", "operators", "program", "slashes", "spaces", "unicode"]),
    one("mount.fstype", r#"{"mount": {"path": "DIR/m", "src": "t", "fstype": "§", "state": "present", "fstab": "DIR/f"}}"#)
        .look("cat f")
        .gives("t DIR/m † defaults 0 0\n")
        .refused(&["braces", "dash", "help", "lines", "operators", "program", "slashes", "spaces", "unicode"]),
    one("getent.key", r#"{"getent": {"database": "passwd", "key": "§"}}"#)
        .refused(&["dash"])
        .fails(&["program", "lines"])
        .only(FEW),
    one("getent.database", r#"{"getent": {"database": "§", "key": "x"}}"#)
        .refused(ALL)
        .only(FEW),
    one("systemd.name", r#"{"systemd_unit": {"name": "§", "content": "[Service]\nExecStart=/bin/true\n"}}"#).refused(ALL),
    one("systemd.missing", r#"{"systemd_unit": {"name": "§", "state": "started"}}"#).refused(ALL),
    // Other programs.
    one("git.dest", r#"{"git": {"repo": "/srv/h/x/w", "dest": "DIR/§"}}"#)
        .look("test -d ./§/.git && printf there")
        .gives("there")
        .refused(&["lines"])
        .only(SOME),
    one("git.repo", r#"{"git": {"repo": "DIR/§", "dest": "DIR/c"}}"#)
        .before("mkdir -p ./§; rmdir ./§; cp -a /srv/h/x/w ./§")
        .look("test -d ./c/.git && printf there")
        .gives("there")
        .refused(&["lines"])
        .only(FEW),
    one("git.address", r#"{"git": {"repo": "§", "dest": "DIR/c"}}"#)
        .refused(&["dash", "lines"])
        .fails(&["program", "slashes", "unicode"])
        .only(SOME),
    one("git.version", r#"{"git": {"repo": "/srv/h/x/w", "dest": "DIR/c", "version": "§"}}"#)
        .refused(ALL)
        .without(&["long"]),
    one("git.remote", r#"{"git": {"repo": "/srv/h/x/w", "dest": "DIR/c", "remote": "§"}}"#)
        .refused(ALL)
        .without(&["long"]),
    one("git.refspec", r#"{"git": {"repo": "/srv/h/x/w", "dest": "DIR/c", "refspec": "§"}}"#)
        .refused(&["dash", "lines"])
        .fails(&["program", "slashes", "unicode"])
        .only(SOME),
    one("pip.name", r#"{"pip": {"name": ["§"], "no_index": true, "break_system_packages": true}}"#)
        .refused(ALL)
        .without(&["up"]),
    one("pip.version", r#"{"pip": {"name": ["x"], "version": "§", "no_index": true, "break_system_packages": true}}"#).refused(ALL),
    one("pip.requirements", r#"{"pip": {"requirements": "DIR/§", "no_index": true, "break_system_packages": true}}"#)
        .before("mkdir -p ./§; rmdir ./§; : >./§")
        .only(FEW),
    one("pip.virtualenv", r#"{"pip": {"virtualenv": "DIR/§", "name": [], "no_index": true}}"#)
        .look("test -x ./§/bin/python && printf there")
        .gives("there")
        .only(&["program"]),
    one("apt.name", r#"{"apt": {"name": ["§"]}}"#)
        .refused(ALL)
        .without(&["glob"]),
    one("apt.default_release", r#"{"apt": {"name": ["base-files"], "default_release": "§"}}"#)
        .refused(ALL)
        .without(&["home", "up", "long"]),
    web("apt_repository.repo", r#"{"apt_repository": {"repo": "deb file:///srv/none §", "filename": "r№", "update_cache": false}}"#)
        .look("cat /etc/apt/sources.list.d/r№.list")
        .gives("deb file:///srv/none §\n")
        .refused(&["dash", "lines"])
        .only(SOME),
    one("apt_repository.filename", r#"{"apt_repository": {"repo": "deb file:///srv/none x main", "filename": "§", "update_cache": false}}"#)
        .refused(ALL)
        .without(&["dash", "help"]),
    one("compile_python.prefix", r#"{"compile_python": {"version": "3.9.16", "sha256": "0000000000000000000000000000000000000000000000000000000000000000", "remote_src": true, "source": "DIR/§", "prefix": "DIR/§", "packages": []}}"#)
        .refused(ALL)
        .only(&["program", "lines"]),
    one("compile_python.version", r#"{"compile_python": {"version": "§", "sha256": "0000000000000000000000000000000000000000000000000000000000000000", "remote_src": true, "source": "/nope"}}"#)
        .refused(ALL),
    // The web and its certificates.
    web("get_url.dest", r#"{"get_url": {"url": "http://10.77.0.1:8080/file/f.txt", "dest": "DIR/§"}}"#)
        .before("mkdir -p ./§; rmdir ./§")
        .look("find . -type f -printf %P=; cat ./§")
        .gives("§=what the server has\n")
        .only(SOME),
    web("get_url.url", r#"{"get_url": {"url": "§", "dest": "DIR/f"}}"#).refused(ALL),
    web("get_url.path", r#"{"get_url": {"url": "http://10.77.0.1:8080/§", "dest": "DIR/f"}}"#)
        .refused(ALL)
        .only(&["program", "operators", "lines", "spaces", "slashes", "unicode", "braces"]),
    web("get_url.checksum", r#"{"get_url": {"url": "http://10.77.0.1:8080/file/f.txt", "checksum": "sha256:§", "dest": "DIR/f"}}"#).refused(ALL),
    web("get_url.header", r#"{"get_url": {"url": "http://10.77.0.1:8080/file/f.txt", "headers": {"X-A": "§"}, "dest": "DIR/f"}}"#)
        .look("cat f")
        .gives("what the server has\n")
        .refused(&["lines"])
        .only(SOME),
    web("uri.body", r#"{"uri": {"url": "http://10.77.0.1:8080/x", "method": "POST", "body": "§", "status_code": [201], "return_content": true}, "register": "r"},
        {"copy": {"dest": "DIR/f", "content": "{{ r.json.body }}"}}"#)
        .look("cat f")
        .always()
        .only(SOME),
    web("uri.agent", r#"{"uri": {"url": "http://10.77.0.1:8080/x", "method": "POST", "http_agent": "§", "status_code": [201], "return_content": true}, "register": "r"},
        {"copy": {"dest": "DIR/f", "content": "{{ r.json.agent }}"}}"#)
        .look("cat f")
        .refused(&["lines"])
        .always()
        .only(SOME),
    web("uri.method", r#"{"uri": {"url": "http://10.77.0.1:8080/x", "method": "§"}}"#).refused(ALL),
    web("uri.dest", r#"{"uri": {"url": "http://10.77.0.1:8080/file/f.txt", "dest": "DIR/§"}}"#)
        .before("mkdir -p ./§; rmdir ./§")
        .look("find . -type f -printf %P=; cat ./§")
        .gives("§=what the server has\n")
        .always()
        .only(SOME),
    web("openssl.name", r#"{"openssl_certificate": {"path": "DIR/c", "key": "DIR/k", "type": "ec", "common_name": "§"}}"#)
        .look("openssl x509 -in c -noout -subject -nameopt utf8,sname,sep_comma_plus")
        .gives("subject=CN=§\n")
        .refused(&["program", "lines"])
        .only(SOME),
    web("openssl.subject", r#"{"openssl_certificate": {"path": "DIR/c", "key": "DIR/k", "type": "ec", "common_name": "x", "subject": {"O": "§"}}}"#)
        .look("openssl x509 -in c -noout -subject -nameopt utf8,sname,sep_comma_plus")
        .gives("subject=O=§,CN=x\n")
        .refused(&["program", "lines"])
        .only(SOME),
    web("openssl.san", r#"{"openssl_certificate": {"path": "DIR/c", "key": "DIR/k", "type": "ec", "common_name": "x", "san": ["DNS:§"]}}"#)
        .look("openssl x509 -in c -noout -ext subjectAltName | tail -n 1")
        .gives("    DNS:§\n")
        .refused(&[
            "program", "operators", "lines", "spaces", "slashes", "unicode", "glob", "braces", "home", "up", "long",
        ]),
    web("openssl.path", r#"{"openssl_certificate": {"path": "DIR/c/§", "key": "DIR/k/§", "type": "ec", "common_name": "x"}}"#)
        .before("mkdir -p ./c/§ ./k/§; rmdir ./c/§ ./k/§")
        .look("test -s ./c/§ && test -s ./k/§ && printf there")
        .gives("there")
        .only(SOME),
    // The other family.
    red("yum.name", r#"{"yum": {"name": ["§"]}}"#)
        .fails(ALL)
        .only(&["program", "operators", "home", "unicode"]),
    red("yum_repository.name", r#"{"yum_repository": {"name": "§", "description": "x", "baseurl": "file:///srv/none", "file": "n№"}}"#)
        .look("head -n 1 /etc/yum.repos.d/n№.repo")
        .gives("[§]\n")
        .refused(&[
            "program", "operators", "lines", "spaces", "slashes", "unicode", "glob", "braces", "home", "up", "long",
        ]),
    red("yum_repository.file", r#"{"yum_repository": {"name": "x", "description": "x", "baseurl": "file:///srv/none", "file": "§"}}"#)
        .look("head -n 1 /etc/yum.repos.d/§.repo")
        .gives("[x]\n")
        .refused(&["program", "operators", "lines", "up"])
        .fails(&["long"]),
    red("yum_repository.description", r#"{"yum_repository": {"name": "d№", "description": "§", "baseurl": "file:///srv/none", "enabled": false}}"#)
        .look("grep ^name /etc/yum.repos.d/d№.repo")
        .gives("name = §\n")
        .refused(&["lines"])
        .only(SOME),
    red("yum_repository.password", r#"{"yum_repository": {"name": "p№", "description": "x", "baseurl": "file:///srv/none", "password": "§", "enabled": false}}"#)
        .look("grep ^password /etc/yum.repos.d/p№.repo")
        .gives("password = §\n")
        .refused(&["lines"])
        .only(SOME),
    red("rpm_key.key", r#"{"rpm_key": {"key": "§"}}"#)
        .fails(ALL)
        .only(&["program", "dash", "lines", "slashes", "unicode"]),
];
