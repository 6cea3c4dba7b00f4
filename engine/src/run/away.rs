//! What goes on without the host: where it cannot be reached and tasks say that this is to be borne,
//! and where nobody knows yet whether it is needed at all.

use std::sync::Arc;

use super::{
    board::{End, UNWRITTEN},
    called::Called,
    decide::Decision,
    decided::{Decided, Fate},
    drive::{Loop, futures_poll_once},
    exchange::Lost,
};
use crate::{
    event::TaskError,
    late::NotYet,
    module::Nature,
    probe::ask,
    probes::Whoami,
    schedule::{Ended, Next},
    task::{Output, TaskId},
    value::{Map, Value},
};

/// Why a host is away, as it is told.
struct Away {
    error: String,
    help: Option<String>,
}

impl Loop {
    /// Does the work of the host; where it is away, what does not need it.
    pub(super) async fn work_or_pass(&mut self) -> Result<(), Lost> {
        let list = Arc::clone(&self.shared.list);
        // A machine on which others have tasks done may not be needed at all.
        if list.hosts[self.host.index()].stands_for.is_some() && !self.without_host(None).await {
            return Ok(());
        }
        let mut told = false;
        loop {
            let Err(lost) = self.work().await else {
                return Ok(());
            };
            let bears = |id: &TaskId| list.tasks[id.index()].ignore_unreachable;
            let away = match &lost {
                Lost::Host(error) if self.tasks.iter().any(bears) => Away {
                    error: self.masking.text(&error.to_string()),
                    help: error.help().map(|help| self.masking.text(help)),
                },
                _ => return Err(lost),
            };
            let passed = self.recap.ignored;
            if !self.pass_over_what_runs(&away) || self.without_host(Some(&away)).await {
                // What does not bear it tries again, unless it was tried just now.
                if self.connected || passed == self.recap.ignored {
                    return Err(lost);
                }
                continue;
            }
            if !std::mem::replace(&mut told, true) {
                self.warn(None, "it could not be reached, and its tasks bear that");
            }
            return Ok(());
        }
    }

    /// What was sent, and of which nobody will hear the end. False if some of it does not bear that.
    fn pass_over_what_runs(&mut self, away: &Away) -> bool {
        for id in self.tasks.clone() {
            if self.shared.board.state().schedule.is_running(id) {
                if !self.task(id).ignore_unreachable {
                    return false;
                }
                self.pass_over_away(id, away);
            }
        }
        true
    }

    /// Goes on as far as it goes without asking the host. Whether the host is needed then.
    async fn without_host(&mut self, away: Option<&Away>) -> bool {
        let shared = Arc::clone(&self.shared);
        self.known.clear();
        for who in 0..self.identities.len() {
            let nobody = Err(NotYet::new("what a host says that is not connected"));
            self.known.learn(who, ask(Whoami).as_ref(), nobody);
        }
        let needed = loop {
            if shared.cancel.is_stopped() {
                break false;
            }
            let mut next_move = std::pin::pin!(shared.board.next_move());
            let waiting = futures_poll_once(next_move.as_mut()).await;
            let next = shared.board.state().schedule.next(self.host);
            match next {
                Next::Over => break false,
                Next::NotNeeded(id) => {
                    let mut state = shared.board.state();
                    state.schedule.dismiss(id);
                    state.pass_over(id, false);
                    drop(state);
                    self.decided.insert(id);
                    shared.board.moved();
                }
                Next::Blocked { task, by } => self.blocked(task, by),
                Next::Waiting if waiting => tokio::select! {
                    () = next_move => {}
                    () = shared.cancel.stopped() => {}
                },
                Next::Waiting => {}
                Next::Run(id) => {
                    let decision = self.with_known(|it, known| {
                        let state = shared.board.state();
                        it.decide(id, &state, known, false)
                    });
                    match (decision, away) {
                        // What it is owed since an earlier run only the host knows.
                        (Decision::Quiet, Some(_)) => self.quiet(id),
                        (Decision::Decided(decided), _) if ends_here(&decided) => {
                            self.finish_decided(&decided, None, None);
                        }
                        (_, Some(away)) if self.task(id).ignore_unreachable => {
                            self.pass_over_away(id, away);
                        }
                        _ => break true,
                    }
                }
            }
        };
        self.known.clear();
        needed
    }

    /// A task whose host is away, and that bears it.
    fn pass_over_away(&mut self, id: TaskId, away: &Away) {
        let message = format!("it cannot be reached: {}", away.error);
        let value = Map::from_iter([
            ("unreachable".to_owned(), Value::from(true)),
            ("msg".to_owned(), message.as_str().into()),
        ]);
        let output = Output {
            changed: false.into(),
            value: Value::Map(value),
            ..Output::default()
        };
        let end = End {
            changed: Some(false),
            called: Called::All,
            scope: self.scope(""),
            epoch: UNWRITTEN.to_owned(),
            renews: Vec::new(),
            at: 0,
        };
        let mut state = self.shared.board.state();
        state.schedule.finish(id, Ended::Done);
        state.outputs[id.index()] = Some(Arc::new(output));
        state.end(id, end);
        drop(state);
        self.decided.insert(id);
        let error = TaskError {
            message,
            help: away.help.clone(),
            ..TaskError::default()
        };
        self.borne(id, error);
        self.shared.board.moved();
    }
}

/// Whether it is decided without the host, for good: nothing is to be done, and nothing failed for
/// want of what the host would have said.
fn ends_here(decided: &Decided) -> bool {
    let fails = decided.items.iter().any(|item| {
        let says_so = item
            .bound
            .as_ref()
            .is_some_and(|bound| bound.nature() == Nature::Control);
        matches!(item.fate, Fate::Refuse(_)) && !says_so
    });
    !decided.acts() && !fails
}
