//! What can go wrong with a host, and how it is put right again.

use std::{
    fs,
    process::{Command, Stdio},
};

use super::{Host, boot::script};

/// A line between the controller and a host that is not a good one, each way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line {
    /// How long a frame takes, in milliseconds.
    pub delay: u32,
    /// How much that differs, in milliseconds.
    pub jitter: u32,
    /// How many frames are lost, of a hundred.
    pub loss: u32,
}

impl Host {
    /// Pulls its network cable: what is sent vanishes, and no answer comes.
    pub fn cut(&self) {
        self.in_lab("ip link set v-$1 down", "");
    }

    /// Puts the cable back.
    pub fn mend(&self) {
        self.in_lab("ip link set v-$1 up", "");
    }

    /// Puts a bad line in the place of its cable.
    pub fn slow(&self, line: Line) {
        let Line {
            delay,
            jitter,
            loss,
        } = line;
        // Whole frames of at most one MTU have to come to the shaper: nothing is offloaded.
        let lines = "
            ip link add s-$1 type veth peer name t-$1
            ip netns exec $1 ethtool -K eth0 tx off tso off gso off >/dev/null
            ethtool -K t-$1 tx off tso off gso off >/dev/null
            ethtool -K lab tx off tso off gso off >/dev/null
            ip link set v-$1 nomaster
            ip link set t-$1 master lab up
            ip link set s-$1 up
            setsid \"$2\" v-$1 s-$1 $3 </dev/null >\"$4/log/line-$1\" 2>&1 &
            echo $! >\"$4/line-$1\"
            until [ -s \"$4/log/line-$1\" ]; do sleep 0.01; done";
        self.in_lab(lines, &format!("{delay} {jitter} {loss}"));
    }

    /// Puts the cable back in the place of a bad line.
    pub fn fast(&self) {
        let lines = "kill $(cat \"$4/line-$1\")
            ip link del s-$1
            ip link set v-$1 master lab up";
        self.in_lab(lines, "");
    }

    /// Stops the whole host, so that it takes connections and answers nothing.
    pub fn freeze(&self) {
        self.set_group("unified", "cgroup.freeze", "1");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.set_group("unified", "cgroup.freeze", "0");
    }

    /// How many bytes of memory it has in all; without a number, as many as there are.
    pub fn memory(&self, limit: Option<u64>) {
        let (file, none) = if self.group("memory").join("memory.max").exists() {
            ("memory.max", "max")
        } else {
            ("memory.limit_in_bytes", "-1")
        };
        let limit = limit.map_or_else(|| none.to_owned(), |limit| limit.to_string());
        self.set_group("memory", file, &limit);
    }

    /// Kills its sshd for each connection there is; the one that takes new ones stays.
    pub fn kill_sessions(&self) {
        self.try_sh("pkill -KILL -f '^sshd: [a-z]'");
    }

    /// Fills its disk but for some bytes.
    pub fn fill(&self, left: u64) {
        let line = format!(
            "free=$(df --output=avail -B1 / | tail -n 1) && fallocate -l $((free - {left})) /fill"
        );
        self.sh(&line);
    }

    /// Gives the disk back.
    pub fn empty(&self) {
        self.sh("rm -f /fill");
    }

    /// Lets nobody write below a directory.
    pub fn read_only(&self, path: &str) {
        self.sh(&format!(
            "mount --bind {path} {path} && mount -o remount,bind,ro {path}"
        ));
    }

    /// Lets write below it again.
    pub fn writable(&self, path: &str) {
        self.sh(&format!("umount {path}"));
    }

    fn set_group(&self, kind: &str, file: &str, value: &str) {
        fs::write(self.group(kind).join(file), value).unwrap();
    }

    /// Lines for `bash` in the namespaces of the lab, with this host's name as the first argument.
    #[track_caller]
    fn in_lab(&self, lines: &str, argument: &str) {
        let mut bash = Command::new("nsenter");
        bash.args(["-n", "-m", "-p", "-t", &self.init.to_string(), "--"]);
        bash.args(["bash", "-euc", lines, "bash", self.name()]);
        bash.arg(script("link-shaper.py"));
        bash.arg(argument).arg(&self.lab).stdin(Stdio::null());
        assert!(bash.status().unwrap().success(), "{lines}");
    }
}
