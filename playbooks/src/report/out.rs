//! The one place that prints: colours where the terminal shows them, quiet where a pipe is closed.

use std::{
    io::{self, Write as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use evenkeel_engine::event::{Event, Sink};
use jiff::Timestamp;

use super::{Report, Said, html::Html, progress::Live};

/// Whether stdout takes nothing more: who reads it has gone, or the disk is full.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Prints data on stdout. That its reader has gone is no error; any other trouble is said once.
pub fn report(text: &str) {
    if text.is_empty() || CLOSED.load(Ordering::Relaxed) {
        return;
    }
    let mut stdout = anstream::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    if let Err(error) = written {
        CLOSED.store(true, Ordering::Relaxed);
        if error.kind() != io::ErrorKind::BrokenPipe {
            talk(&format!(
                "warning: the report cannot be written to stdout: {error}\n"
            ));
        }
    }
}

/// Prints talk on stderr. If even that is gone there is nobody to tell.
pub fn talk(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let written = stderr
        .write_all(text.as_bytes())
        .and_then(|()| stderr.flush());
    drop(written);
}

/// Takes the events of a run and prints what a report says of them.
pub struct Printer {
    report: Mutex<Box<dyn Report>>,
    live: Option<Live>,
    page: Option<Page>,
}

/// A page that is made beside the report.
struct Page {
    html: Mutex<Html>,
    /// Whether the report shows differences too.
    diff: bool,
}

impl std::fmt::Debug for Printer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Printer")
    }
}

impl Printer {
    /// Prints a report, with or without a view of what is going on beside it.
    pub fn new(report: Box<dyn Report>, live: Option<Live>) -> Arc<Self> {
        Arc::new(Self {
            report: Mutex::new(report),
            live,
            page: None,
        })
    }

    /// The same, with a page that is made of the events beside it. Differences are for the page alone, but with `diff`.
    pub fn with_page(
        report: Box<dyn Report>,
        live: Option<Live>,
        html: Html,
        diff: bool,
    ) -> Arc<Self> {
        let html = Mutex::new(html);
        Arc::new(Self {
            report: Mutex::new(report),
            live,
            page: Some(Page { html, diff }),
        })
    }

    /// The page, if one was wanted and the run has ended.
    pub fn page(&self) -> Option<String> {
        let page = self.page.as_ref()?;
        let html = page.html.lock().unwrap_or_else(PoisonError::into_inner);
        html.page()
    }

    /// Talk that is not about an event.
    pub fn talk(&self, text: &str) {
        self.print(&Said {
            report: String::new(),
            talk: text.to_owned(),
        });
    }

    fn print(&self, said: &Said) {
        let print = || {
            report(&said.report);
            if !said.talk.is_empty() {
                talk(&said.talk);
            }
        };
        match &self.live {
            Some(live) => live.aside(print),
            None => print(),
        }
    }
}

impl Sink for Printer {
    fn event(&self, event: &Event) {
        let now = Timestamp::now();
        // Held while printing, so that the order of events is the order of lines.
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let said = match &self.page {
            Some(page) => {
                let mut html = page.html.lock().unwrap_or_else(PoisonError::into_inner);
                html.fold(event, now);
                drop(html);
                match event {
                    Event::TaskFinished(task) if !page.diff => {
                        let mut task = task.clone();
                        let items = task.items.iter_mut().flat_map(|item| &mut item.changes);
                        for change in task.changes.iter_mut().chain(items) {
                            change.diff = None;
                        }
                        report.fold(&Event::TaskFinished(task), now)
                    }
                    event => report.fold(event, now),
                }
            }
            None => report.fold(event, now),
        };
        if let Some(live) = &self.live {
            live.event(event, now);
        }
        if said != Said::default() {
            self.print(&said);
        }
    }
}
