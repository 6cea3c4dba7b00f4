//! Whether what is installed will do.

use evenkeel_engine::{NotYet, Stop};
use pep508_rs::{ExtraName, MarkerEnvironment, MarkerEnvironmentBuilder, Requirement, VerbatimUrl};

use super::{Task, installed, missing, program};
use crate::{
    look::Look,
    pip::{Extras, Interpreter, Release, requirement::versions},
};

/// What extras require, that requires something with extras … is followed so far.
const DEPTH: usize = 3;

impl Task<'_> {
    /// Whether what is there will do: its version, and what its extras require.
    pub(super) fn satisfied(
        &self,
        requirement: &Requirement<VerbatimUrl>,
        there: Option<&Release>,
        look: &Look<'_>,
        depth: usize,
    ) -> Result<bool, Stop> {
        let Some(release) = there else {
            return Ok(false);
        };
        let wanted = versions(requirement);
        let constraint = self.constraints.get(&requirement.name);
        let mut all = wanted
            .iter()
            .chain(constraint.into_iter().flat_map(|c| c.iter()));
        let version = release.version();
        let fits = match &version {
            Some(version) => all.all(|specifier| specifier.contains(version)),
            None => all.next().is_none(),
        };
        if !fits || requirement.extras.is_empty() || depth > DEPTH {
            return Ok(fits);
        }
        let probe = Extras(installed(&self.env, &requirement.name));
        let Some(lines) = look.get(&probe)? else {
            return Ok(true);
        };
        for line in lines {
            let Ok(needs) = line.parse::<Requirement<VerbatimUrl>>() else {
                continue;
            };
            if self.applies(&needs, &requirement.extras, look)? {
                let there = self.mentioned(&needs.name, look)?;
                if !self.satisfied(&needs, there.as_ref(), look, depth + 1)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether the markers of a requirement hold.
    pub(super) fn applies(
        &self,
        requirement: &Requirement<VerbatimUrl>,
        extras: &[ExtraName],
        look: &Look<'_>,
    ) -> Result<bool, Stop> {
        if requirement.marker.is_true() {
            return Ok(true);
        }
        if !requirement.marker.evaluate_extras(extras) {
            return Ok(false);
        }
        let python = look.get(&Interpreter(self.env.clone()))?.as_ref();
        let python = python.ok_or_else(|| missing(&program(&self.env)))?;
        let env = markers(&python.version, &python.machine)
            .ok_or_else(|| NotYet(format!("what Python `{}` is", python.version)))?;
        Ok(requirement.marker.evaluate(&env, extras))
    }
}

/// What markers are held against.
fn markers(version: &str, machine: &str) -> Option<MarkerEnvironment> {
    let mut parts = version.split('.');
    let short = format!("{}.{}", parts.next()?, parts.next()?);
    let full = match parts.next() {
        Some(patch) => format!("{short}.{patch}"),
        None => format!("{short}.0"),
    };
    MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: &full,
        os_name: "posix",
        platform_machine: machine,
        platform_python_implementation: "CPython",
        platform_release: "",
        platform_system: "Linux",
        platform_version: "",
        python_full_version: &full,
        python_version: &short,
        sys_platform: "linux",
    })
    .ok()
}
