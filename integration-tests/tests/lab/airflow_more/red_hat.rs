//! Hosts that answer as Red Hat's do: dnf and rpm, and a server of PostgreSQL as the package there has it. Its programs are
//! Debian's.

use super::*;

/// What `postgresql-server` brings there, where Debian's own has been before: the program that makes the files of a server,
/// and the unit of the one server that there is.
pub(super) fn prepare(lab: &Lab) {
    let control = lab.host("node1");
    control.sh("systemctl -q disable postgresql && systemctl stop postgresql postgresql@15-main && pg_dropcluster 15 main && rm -f /lib/systemd/system-generators/postgresql-generator");
    control.write(
        "/usr/bin/postgresql-setup",
        "#!/bin/sh\ntest \"$1\" = --initdb || exit 2\ninstall -d -o postgres -g postgres -m 700 /var/lib/pgsql /var/lib/pgsql/data\n\
         exec runuser -u postgres -- /usr/lib/postgresql/15/bin/initdb --auth-local=peer --auth-host=ident -D /var/lib/pgsql/data\n",
    );
    control.write(
        "/etc/systemd/system/postgresql.service",
        "[Unit]\nDescription=PostgreSQL\n[Service]\nType=notify\nUser=postgres\nRuntimeDirectory=postgresql\n\
         ExecStart=/usr/lib/postgresql/15/bin/postgres -D /var/lib/pgsql/data -c unix_socket_directories=/run/postgresql\n\
         ExecReload=/bin/kill -HUP $MAINPID\nKillMode=mixed\nKillSignal=SIGINT\n[Install]\nWantedBy=multi-user.target\n",
    );
    control.sh("chmod 755 /usr/bin/postgresql-setup && systemctl daemon-reload");
    let plain = lab.read("group_vars/all/site.yml");
    lab.file(
        "group_vars/all/site.yml",
        &format!("{plain}os_family: RedHat\n"),
    );
}
