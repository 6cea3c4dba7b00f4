//! Modules of Ansible's that we have not, and what does the same.

/// Things of Ansible that look like modules, and what to do instead.
const LATER: [(&str, &str); 29] = [
    (
        "include",
        "it is gone from Ansible too: write `import_tasks`, or `include_tasks` if facts decide",
    ),
    (
        "import_playbook",
        "it stands in the outermost list of the file, as a play does",
    ),
    (
        "openssl_privatekey",
        "`openssl-certificate` keeps a key together with its self-signed certificate; a key alone: `command: openssl \
         genpkey … -out FILE` with `creates: FILE`",
    ),
    (
        "x509_certificate",
        "of `provider: selfsigned`, `openssl-certificate` does all three tasks in one (`path`, `key`, `common_name`, `san`); \
         of others, `command: openssl x509 …` with `creates`",
    ),
    (
        "openssl_csr",
        "for a self-signed certificate none is needed: `openssl-certificate` says `common_name`, `subject` and `san`; \
         else `command: openssl req -new …` with `creates`",
    ),
    (
        "openssl_dhparam",
        "`command: openssl dhparam -out FILE 2048` with `creates: FILE`",
    ),
    (
        "synchronize",
        "`copy` with a directory as its `src` puts a tree in its place",
    ),
    (
        "selinux",
        "`lineinfile` with `path: /etc/selinux/config`, `regexp: '^SELINUX='` and `line: SELINUX=permissive`, and \
         `command: setenforce 0` when `ansible_facts.selinux.mode` is another",
    ),
    (
        "seboolean",
        "`shell: setsebool -P NAME on`, after a `command: getsebool NAME` with `changed_when: false` and `register`, when it says otherwise",
    ),
    (
        "sefcontext",
        "`shell: semanage fcontext -a -t TYPE 'TARGET'`, after a `command: semanage fcontext -l -C` with `changed_when: false` and \
         `register`, when that does not list it; then `command: restorecon -R PATH`",
    ),
    (
        "locale_gen",
        "`lineinfile` with `path: /etc/locale.gen` and `line: en_US.UTF-8 UTF-8`, and a handler with `command: locale-gen`",
    ),
    (
        "htpasswd",
        "`copy` with the lines as `content`: `{{ user }}:{{ password | password_hash('sha512', salt) }}`, with a fixed `salt`",
    ),
    (
        "iptables",
        "a file of rules by `template`, and a handler that loads it: `command: iptables-restore FILE`, `command: nft -f FILE`",
    ),
    (
        "ufw",
        "`command: ufw allow PORT/tcp` with `changed_when: \"'existing' not in result.stdout\"` and `register: result`",
    ),
    (
        "firewalld",
        "`command: firewall-cmd --permanent --add-service=NAME` after `command: firewall-cmd --permanent --query-service=NAME`, \
         or the zone as a file: `template` with `dest: /etc/firewalld/zones/NAME.xml` and a handler `command: firewall-cmd --reload`",
    ),
    (
        "mysql_db",
        "`command: mysql -e 'CREATE DATABASE IF NOT EXISTS NAME'`, with what it needs to log in in `~/.my.cnf`",
    ),
    (
        "mysql_user",
        "`command: mysql` with `CREATE USER IF NOT EXISTS …; GRANT …` as its `stdin`: there no password is in a list of arguments",
    ),
    (
        "xml",
        "the whole file by `template`, or `replace` with a pattern for what is in the element",
    ),
    (
        "supervisorctl",
        "`command: supervisorctl start NAME` after `command: supervisorctl status NAME`; better a unit of its own: `systemd_unit`",
    ),
    (
        "npm",
        "`command: npm ci` with `chdir`, and `creates: DIR/node_modules`",
    ),
    (
        "gem",
        "`command: gem install NAME --version VERSION`, after a `command: gem list -i NAME -v VERSION` that ends with 1",
    ),
    (
        "expect",
        "`command` or `shell` with the answers as `stdin`, or an option of the program that asks nothing",
    ),
    (
        "filesystem",
        "`command: mkfs.ext4 DEVICE`, when a `command: blkid -o value -s TYPE DEVICE` with `changed_when: false` and \
         `failed_when: false` gives nothing",
    ),
    (
        "lvg",
        "`command: vgcreate NAME DEVICES`, when a `command: vgs NAME` with `failed_when: false` does not find it",
    ),
    (
        "lvol",
        "`command: lvcreate -n NAME -L SIZE GROUP` with `creates: /dev/GROUP/NAME`",
    ),
    (
        "parted",
        "`command: parted -s DEVICE mkpart …` with `creates`: the partition's own device",
    ),
    (
        "acl",
        "`command: setfacl -m ENTRY PATH`, when a `command: getfacl -cp PATH` with `changed_when: false` does not print the entry",
    ),
    (
        "archive",
        "`command: tar -czf DEST -C PATH .` with `creates: DEST`",
    ),
    (
        "capabilities",
        "`command: setcap CAPABILITY PATH`, when a `command: getcap PATH` with `changed_when: false` does not print it",
    ),
];

/// What does the same as a module that we have not.
pub(super) fn instead(short: &str) -> Option<&'static str> {
    let mut all = LATER.iter();
    all.find(|(later, _)| *later == short)
        .map(|(_, instead)| *instead)
}
