//! The hosts of a lab, and what the program does with them over ssh.
//!
//! All of these need root and the programs that `.ci/run` installs, so they are ignored unless asked for; `.ci/run`
//! asks for them.

mod lab {
    mod hosts;
}
