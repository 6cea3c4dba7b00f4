//! XML as `JUnit` writes it, for systems that show test results: a suite for each host, a case for each task.

use std::fmt::Write as _;

use evenkeel_engine::event::{Event, Outcome, TaskFinished};
use indexmap::IndexMap;
use jiff::Timestamp;

use super::{Report, Said, xml};

/// XML as `JUnit` writes it, all at the end of the run.
#[derive(Debug, Default)]
pub struct Junit {
    name: String,
    begun: Option<Timestamp>,
    suites: IndexMap<String, Suite>,
}

#[derive(Debug, Default)]
struct Suite {
    cases: String,
    tests: u64,
    failures: u64,
    errors: u64,
    skipped: u64,
    millis: u64,
}

impl Junit {
    fn finished(&mut self, task: &TaskFinished) {
        let suite = self.suites.entry(task.name.host.clone()).or_default();
        suite.tests += 1;
        suite.millis += task.duration_ms;
        let mut body = String::new();
        let skip = |why: &str| format!("<skipped message=\"{}\"/>", xml::escaped(why));
        match (task.outcome, &task.error) {
            (Outcome::Failed, error) if task.forgiven.is_none() => {
                suite.failures += 1;
                let error = error.clone().unwrap_or_default();
                let message = xml::escaped(&error.message);
                write!(body, "<failure type=\"failed\" message=\"{message}\">")
                    .expect("a string takes all");
                for text in [&error.command, &error.stdout, &error.stderr, &error.help] {
                    let text = text.as_deref().unwrap_or_default();
                    if !text.is_empty() {
                        writeln!(body, "{}", xml::escaped(text)).expect("a string takes all");
                    }
                }
                body += "</failure>";
            }
            (Outcome::Skipped | Outcome::Blocked | Outcome::Unknown, _) => {
                suite.skipped += 1;
                body = skip(&task.reason.to_string());
            }
            _ => {}
        }
        let class = task.name.source.as_deref().unwrap_or(&task.name.play);
        writeln!(
            suite.cases,
            "    <testcase name=\"{}\" classname=\"{}\" time=\"{}\">{body}</testcase>",
            xml::escaped(&task.name.task),
            xml::escaped(class),
            seconds(task.duration_ms),
        )
        .expect("a string takes all");
    }

    fn unreachable(&mut self, host: &str, error: &str) {
        let suite = self.suites.entry(host.to_owned()).or_default();
        suite.tests += 1;
        suite.errors += 1;
        writeln!(
            suite.cases,
            "    <testcase name=\"connect\" classname=\"evenkeel\" time=\"0.000\"><error type=\"unreachable\" message=\"{}\"/></testcase>",
            xml::escaped(error),
        )
        .expect("a string takes all");
    }

    fn document(&self, duration_ms: u64) -> String {
        let sum = |number: fn(&Suite) -> u64| self.suites.values().map(number).sum::<u64>();
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\">\n",
            xml::escaped(&self.name),
            sum(|suite| suite.tests),
            sum(|suite| suite.failures),
            sum(|suite| suite.errors),
            seconds(duration_ms),
        );
        // Without a zone, as the form wants it: UTC.
        let begun = self
            .begun
            .map(|begun| begun.strftime("%Y-%m-%dT%H:%M:%S").to_string());
        let begun = begun.unwrap_or_default();
        for (host, suite) in &self.suites {
            let host = xml::escaped(host);
            writeln!(
                out,
                "  <testsuite name=\"{host}\" hostname=\"{host}\" timestamp=\"{begun}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" \
                 skipped=\"{}\" time=\"{}\">\n{}  </testsuite>",
                suite.tests,
                suite.failures,
                suite.errors,
                suite.skipped,
                seconds(suite.millis),
                suite.cases,
            )
            .expect("a string takes all");
        }
        out + "</testsuites>\n"
    }
}

impl Report for Junit {
    fn fold(&mut self, event: &Event, at: Timestamp) -> Said {
        let mut said = Said::default();
        match event {
            Event::RunStarted {
                playbooks, hosts, ..
            } => {
                self.name = playbooks.join(" ");
                self.begun = Some(at);
                // A host that has nothing to tell has its suite too.
                for host in hosts {
                    self.suites.entry(host.clone()).or_default();
                }
            }
            Event::HostUnreachable { host, error, .. } => self.unreachable(host, error),
            Event::TaskFinished(task) => self.finished(task),
            Event::RunFinished { duration_ms, .. } => said.report = self.document(*duration_ms),
            _ => {}
        }
        said
    }
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}
