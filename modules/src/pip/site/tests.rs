use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use super::*;

/// Runs the probe's script as a host would.
fn ask<P: Probe>(shell: &str, probes: &[P]) -> Vec<Result<P::Answer, NotYet>> {
    let operands = probes.iter().flat_map(P::operands);
    let out = Command::new(shell)
        .args([
            "-uc",
            &format!("probe() {{ {}\n}}; probe \"$@\"", P::SCRIPT),
            "ek",
        ])
        .args(operands.map(|operand| String::from_utf8(operand).unwrap()))
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&out.stderr);
    assert!(complaint.is_empty(), "{shell}: {complaint}");
    let refs: Vec<_> = probes.iter().collect();
    let answers = P::parse(&refs, &out.stdout).unwrap();
    let said: Vec<u8> = probes
        .iter()
        .zip(&answers)
        .filter_map(|(probe, answer)| probe.expected(answer.as_ref().ok()?))
        .flatten()
        .collect();
    if answers.iter().all(Result::is_ok) {
        assert_eq!(
            String::from_utf8_lossy(&said),
            String::from_utf8_lossy(&out.stdout),
            "{shell}"
        );
    }
    answers
}

fn installed(env: &Env, name: &str) -> Installed {
    Installed {
        env: env.clone(),
        name: PackageName::from_str(name).unwrap(),
    }
}

fn metadata(site: &Path, dir: &str, file: &str, text: &str) {
    fs::create_dir_all(site.join(dir)).unwrap();
    fs::write(site.join(dir).join(file), text).unwrap();
}

/// A virtual environment as `python -m venv` leaves it, without Python.
fn venv() -> (tempfile::TempDir, Env) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("a venv [x]");
    let site = root.join("lib/python3.9/site-packages");
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::write(root.join("bin/python"), "").unwrap();
    fs::set_permissions(root.join("bin/python"), fs::Permissions::from_mode(0o755)).unwrap();
    let text = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.9.16\n";
    fs::write(root.join("pyvenv.cfg"), text).unwrap();
    let wheel = "Metadata-Version: 2.1\nName: Flask\nVersion: 2.0.1\n\
        Requires-Dist: click\nRequires-Dist: asgiref (>=3.2) ; extra == 'async'\n\nRequires-Dist: no; extra\n";
    metadata(&site, "Flask-2.0.1.dist-info", "METADATA", wheel);
    metadata(&site, "flask_login-0.6.3.dist-info", "METADATA", "");
    metadata(&site, "zope.interface-5.4.0-py3.9.egg-info", "PKG-INFO", "");
    metadata(
        &site,
        "mine.egg-info",
        "PKG-INFO",
        "Name: mine\nVersion: 1.2.dev0\n\n",
    );
    metadata(&site, "gone-1.0.dist-info", "RECORD", "");
    fs::write(site.join("single-3-py3.9.egg-info"), "").unwrap();
    (dir, Env::Venv(root.to_str().unwrap().to_owned()))
}

#[test]
fn a_venv_is_read_without_python() {
    let (_dir, env) = venv();
    let names = [
        "flask",
        "flask-login",
        "Zope_Interface",
        "mine",
        "gone",
        "single",
        "flas",
        "login",
    ];
    let probes: Vec<_> = names.iter().map(|name| installed(&env, name)).collect();
    for shell in ["dash", "bash"] {
        let found: Vec<_> = ask(shell, &probes)
            .into_iter()
            .map(|answer| answer.unwrap().map(|r| r.0))
            .collect();
        let wanted = ["2.0.1", "0.6.3", "5.4.0", "1.2.dev0", "-", "3", "-", "-"]
            .map(|version| (version != "-").then(|| version.to_owned()));
        assert_eq!(found, wanted, "{shell}");
        let python = ask(shell, &[Interpreter(env.clone())])
            .remove(0)
            .unwrap()
            .unwrap();
        assert_eq!((python.version.as_str(), python.managed), ("3.9.16", false));
        let extras = ask(
            shell,
            &[Extras(probes[0].clone()), Extras(probes[4].clone())],
        );
        let lines = vec!["asgiref (>=3.2) ; extra == 'async'".to_owned()];
        assert_eq!(extras, [Ok(Some(lines)), Ok(None)], "{shell}");
    }
}

#[test]
fn what_is_not_there_has_nothing() {
    let nowhere = Env::Venv("/no/such/venv".to_owned());
    let python = Env::Python("no-such-python".to_owned());
    for shell in ["dash", "bash"] {
        assert_eq!(ask(shell, &[installed(&nowhere, "pip")]), [Ok(None)]);
        assert_eq!(ask(shell, &[Interpreter(nowhere.clone())]), [Ok(None)]);
        assert!(ask(shell, &[installed(&python, "pip")])[0].is_err());
        assert_eq!(ask(shell, &[Interpreter(python.clone())]), [Ok(None)]);
    }
}

#[test]
fn an_interpreter_is_asked_where_its_packages_are() {
    let env = Env::Python("python3".to_owned());
    if Command::new("python3").arg("--version").output().is_err() {
        return; // Nothing to compare with.
    }
    let pip = Command::new("python3")
        .args(["-m", "pip", "--version"])
        .output()
        .unwrap();
    let pip = String::from_utf8(pip.stdout).unwrap();
    let wanted = pip.split(' ').nth(1).map(str::to_owned);
    for shell in ["dash", "bash"] {
        let found = ask(shell, &[installed(&env, "pip")]).remove(0).unwrap();
        assert_eq!(found.map(|release| release.0), wanted, "{shell}");
        assert!(
            ask(shell, &[Interpreter(env.clone())])[0]
                .as_ref()
                .unwrap()
                .is_some()
        );
    }
}

#[test]
fn versions_are_compared_as_versions() {
    assert_eq!(Release("1.0".into()), Release("1.0.0".into()));
    assert_ne!(Release("1.0".into()), Release("1.0.1".into()));
    assert_eq!(Release("what?".into()), Release("what?".into()));
}
