//! `evenkeel graph`: the tasks and which waits for which, drawn.

use evenkeel_engine::{HostId, TaskList};

use super::{explain, load, run, wrong};
use crate::{
    cli::{Graph as Args, GraphFormat},
    exit::Exit,
    report::{
        graph::{self, Picture, Wanted},
        out,
    },
    words,
};

/// `evenkeel graph`.
pub(super) fn graph(args: &Args) -> Exit {
    let list = match load::load(&args.selection, true, false) {
        Ok(loaded) => loaded.list,
        Err(exit) => return exit,
    };
    let host = match args
        .host
        .as_ref()
        .map(|name| known(name, &list))
        .transpose()
    {
        Ok(host) => host,
        Err(exit) => return exit,
    };
    if let Some(task) = &args.task {
        if let Err(exit) = explain::known(task, &list) {
            return exit;
        }
    }
    let ties = match evenkeel_engine::run::graph(&list, args.in_order) {
        Ok(ties) => ties,
        Err(error) => return run::ended(Err(error.into()), false),
    };
    let task = args.task.clone();
    let drawing = !matches!(args.format, GraphFormat::Json);
    let wanted = Wanted {
        host,
        task,
        drawing,
    };
    let picture = Picture::of(&list, &ties, &wanted);
    out::report(&match args.format {
        GraphFormat::Json => graph::json(&picture),
        GraphFormat::Dot => graph::dot(&picture.folded()),
        GraphFormat::Mermaid => graph::mermaid(&picture.folded()),
        GraphFormat::Svg => graph::svg(&picture.folded()),
    });
    Exit::Good
}

/// The host of this name.
fn known(name: &str, list: &TaskList) -> Result<HostId, Exit> {
    let own = || {
        (0..)
            .map(HostId)
            .zip(&list.hosts)
            .filter(|(_, host)| host.stands_for.is_none())
    };
    if let Some((id, _)) = own().find(|(_, host)| host.name == name) {
        return Ok(id);
    }
    let help = words::did_you_mean(name, own().map(|(_, host)| host.name.as_str()));
    let help = help.unwrap_or_else(|| "`--list-hosts` of `evenkeel run` lists all".to_owned());
    Err(wrong(&format!("no play runs on a host `{name}`"), &help))
}
