//! What it means that Python cannot be built.

use evenkeel_engine::{Done, Refusal};

/// What is missing is told by the check itself.
pub(super) fn check() -> Refusal {
    Refusal::new("what Python is compiled with is missing on the host")
        .help("name what has it in `packages`, or install it with an earlier task; nothing was fetched so far")
}

/// What a build says in its first line is what failed; what it printed may say why.
pub(super) fn build(done: &Done) -> Option<Refusal> {
    /// What stands in a log, and what to do then.
    const KNOWN: [(&str, &str); 5] = [
        (
            "No space left on device",
            "the disk is full: `build_dir` may be on another one",
        ),
        (
            "Disk quota exceeded",
            "the quota is used up: `build_dir` may be on another disk",
        ),
        (
            "Killed",
            "something was killed, maybe for want of memory: fewer compilers at once (`jobs`) need less",
        ),
        (
            "Cannot allocate memory",
            "there is not enough memory: fewer compilers at once (`jobs`) need less",
        ),
        (
            "C compiler cannot create executables",
            "the compiler does not work: its libraries (`libc6-dev`, `glibc-devel`) may be missing",
        ),
    ];
    let text = String::from_utf8_lossy(&done.stderr);
    let what = text.lines().next().filter(|line| !line.is_empty())?;
    let refusal = Refusal::new(format!("Python is not built: {what}"));
    let known = KNOWN.iter().find(|(said, _)| text.contains(said));
    Some(match known {
        Some(&(_, help)) => refusal.help(help),
        None if text.contains("\nthe end of `") => {
            refusal.help("correct what the end of its log complains of; the log stays on the host")
        }
        None => refusal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(stderr: &str) -> Option<(String, Option<String>)> {
        let done = Done {
            status: 1,
            stderr: stderr.into(),
            ..Done::default()
        };
        build(&done).map(|refusal| (refusal.message, refusal.help))
    }

    #[test]
    fn what_is_known_of_a_log_is_told() {
        let full = "`make` failed\nthe end of `/b/build.log`:\nas: final close failed: No space left on device\n";
        let (message, help) = told(full).unwrap();
        assert_eq!(message, "Python is not built: `make` failed");
        assert!(help.unwrap().starts_with("the disk is full"));
        let killed = "`make` failed\nthe end of `/b/build.log`:\ncc: fatal error: Killed signal terminated program cc1\n";
        assert!(told(killed).unwrap().1.unwrap().contains("`jobs`"));
        let other = "`make` failed\nthe end of `/b/build.log`:\nmake: *** [all] Error 2\n";
        assert!(
            told(other)
                .unwrap()
                .1
                .unwrap()
                .contains("the end of its log")
        );
        // Where there is no log yet, none is spoken of.
        let early = "`/x.tar` has the sha256 1, not 2\n";
        assert_eq!(told(early).unwrap().1, None);
        assert_eq!(told(""), None);
    }
}
