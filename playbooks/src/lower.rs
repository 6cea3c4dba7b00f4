//! From the syntax tree to the engine's tasks: one for each listed task and host.

mod acts;
mod args;
mod body;
mod broken;
mod check;
mod chosen;
mod cycles;
mod defaults;
mod elsewhere;
mod facts;
mod folder;
mod include;
mod items;
mod keywords;
mod label;
mod limit;
mod listing;
mod login;
mod looped;
mod made_here;
mod mentions;
mod named;
mod notices;
mod pace;
mod program;
mod rest;
mod sets;
mod store;
mod ties;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use evenkeel_engine::{
    BlockId, HostId, Identity, Meets, Nature, NotYet, Output, Outputs, Registry, Task, TaskId,
    TaskList,
};

use crate::{
    ast::{self, Play},
    files::Span,
    load::{Privilege, Request, Unguarded},
    looked,
    settings::Settings,
    template::Fault,
    vars::{Left, Levels, Scope, Shown, World, Written},
};

pub(crate) use body::{Trouble, items_of};
pub(crate) use elsewhere::{Elsewhere, all as all_elsewhere, here};
pub(crate) use facts::Gathering;
pub(crate) use include::{candidates, pattern};
pub(crate) use listing::Entry;
pub(crate) use login::{Login, Logins, all as all_logins, of_play};
pub(crate) use looped::loop_name;
pub(crate) use mentions::{Looking, Mentions};
pub(crate) use program::{Condition, Loop, Program};
pub(crate) use store::{Store, find, first};

use acts::Acts;
use body::{Body, Failing, Verdict};
use elsewhere::Place;
use keywords::Keywords;
use listing::Listing;
use made_here::Makers;
use notices::{Answers, Notifying};
use pace::Rhythm;
use ties::Reference;

/// Lowers plays one after the other into one list of tasks.
pub(crate) struct Lowering<'a> {
    /// What was asked for.
    pub(crate) request: &'a Request,
    /// What the project says.
    pub(crate) settings: &'a Settings,
    /// The modules.
    pub(crate) registry: Arc<Registry>,
    /// The controller's files.
    pub(crate) store: Arc<Store>,
    /// What comes out.
    pub(crate) list: TaskList,
    /// Mistakes.
    pub(crate) faults: Vec<Fault>,
    /// The hosts that `--limit` leaves.
    pub(crate) limit: Option<Vec<String>>,
    /// Commands that nothing guards.
    pub(crate) unguarded: Vec<Unguarded>,
    /// All tags that occur.
    pub(crate) tags: Vec<String>,
    hosts: BTreeMap<String, HostId>,
    /// Machines on which hosts have tasks done.
    elsewhere: Elsewhere,
    /// Who makes files on this machine.
    makers: Makers,
    /// How hosts are logged in to.
    logins: Logins,
    /// What tasks of each host leave behind, in listed order; and whether surely.
    written: BTreeMap<String, Vec<(Written, bool)>>,
    /// Tasks by id and host.
    ids: BTreeMap<(String, String), TaskId>,
    /// Orders to be resolved when all tasks are there.
    references: Vec<Reference>,
    /// Handlers of the present play by host and name: of several that are called alike each is one by itself.
    alike: BTreeMap<(String, String), Vec<usize>>,
    /// What tasks of the present play notify.
    notifying: BTreeMap<TaskId, Notifying>,
    /// What its handlers answer to, by host.
    answers: BTreeMap<String, Vec<Answers>>,
    /// What ends roles.
    role_ends: BTreeSet<TaskId>,
    /// Where it is written that a task waits for another.
    ties: BTreeMap<(TaskId, TaskId), Span>,
    /// How many plays were added.
    played: usize,
    /// Where the copies of the present task for all hosts begin.
    copies: TaskId,
    /// Groups of the inventory, with their hosts.
    groups: Vec<(String, Vec<String>)>,
    /// By play as it is written: what may end it for the batches after its own.
    over: BTreeMap<usize, Vec<TaskId>>,
}

/// A play on its hosts.
pub(crate) struct Target<'a> {
    /// The play.
    pub(crate) play: &'a Play,
    /// What its tasks share.
    pub(crate) world: Arc<World>,
    /// The same for those that are listed after so many, as these make hosts and groups.
    pub(crate) later: Vec<(usize, Arc<World>)>,
    /// Its own variables, and where its files are looked for.
    pub(crate) levels: Arc<Levels>,
    /// Variables that its roles show to all of it.
    pub(crate) shown: Arc<Shown>,
    /// Which play it is; the batches of one share it.
    pub(crate) family: usize,
    /// How many batches the play has.
    pub(crate) batches: usize,
}

impl Target<'_> {
    /// What the task that is listed there shares with others.
    fn world_at(&self, at: usize) -> &Arc<World> {
        let later = self.later.iter().rev().find(|(after, _)| *after <= at);
        later.map_or(&self.world, |(_, world)| world)
    }

    /// What is known of hosts and groups when all of the play is listed.
    pub(crate) fn last_world(&self) -> &Arc<World> {
        self.world_at(usize::MAX)
    }
}

/// By entry and host: the tasks that it became. More than one where a loop is done in several places.
pub(crate) type Placed = BTreeMap<(usize, String), Vec<TaskId>>;

/// A play with its tasks listed and compiled.
pub(crate) struct Prepared<'a> {
    listing: Listing<'a>,
    programs: Vec<Arc<Program>>,
}

impl<'a> Prepared<'a> {
    /// The tasks that make hosts and groups, if their tags select them.
    pub(crate) fn makers(&self, request: &Request) -> Vec<(&Entry<'a>, &Program)> {
        let all = self.listing.entries.iter().zip(&self.programs);
        let selected = |entry: &Entry<'_>| {
            let tags = entry.commons.iter().flat_map(|common| &common.tags);
            let tags: Vec<&str> = tags.map(|tag| tag.value.as_str()).collect();
            keywords::selected(&tags, &request.tags, &request.skip_tags)
        };
        let makers = all.filter(|(entry, _)| entry.task.makes.is_some() && selected(entry));
        makers.map(|(entry, program)| (entry, &**program)).collect()
    }
}

/// Lists and compiles a play; mistakes go to `faults`.
pub(crate) fn prepare<'a>(
    target: &Target<'a>,
    request: &Request,
    registry: &Registry,
    faults: &mut Vec<Fault>,
) -> Prepared<'a> {
    let selected = |tags: &[&str]| keywords::selected(tags, &request.tags, &request.skip_tags);
    let listing = listing::list(target.play, &target.levels, &selected, faults);
    defaults::check(target.play, registry, faults);
    let programs = listing.entries.iter();
    let programs = programs
        .map(|entry| program(target, entry, registry, faults))
        .collect();
    Prepared { listing, programs }
}

/// Mistakes that are a task's failure when its turn comes, and no more than that.
const AT_ITS_TURN: [&str; 5] = [
    "no_such_file",
    "not_a_condition",
    "not_a_list",
    "template_failed",
    "undefined_variable",
];

/// Before a run nothing is known.
struct Nothing<'a>(&'a TaskList);

impl Outputs for Nothing<'_> {
    fn of(&self, task: TaskId) -> Result<Arc<Output>, NotYet> {
        let name = self
            .0
            .tasks
            .get(task.index())
            .map_or("a task", |task| task.name.as_str());
        Err(NotYet::new(format!("the result of `{name}`")))
    }
}

impl<'a> Lowering<'a> {
    /// Nothing lowered yet.
    pub(crate) fn new(
        request: &'a Request,
        settings: &'a Settings,
        registry: Arc<Registry>,
        store: Arc<Store>,
        (list, elsewhere, here, logins): (TaskList, Elsewhere, BTreeSet<HostId>, Logins),
    ) -> Self {
        let hosts = list
            .hosts
            .iter()
            .zip(0..)
            .map(|(host, index)| (host.name.clone(), HostId(index)));
        let hosts = hosts.collect();
        Self {
            request,
            settings,
            registry,
            store,
            list,
            faults: Vec::new(),
            limit: None,
            unguarded: Vec::new(),
            tags: Vec::new(),
            hosts,
            elsewhere,
            makers: Makers::new(here),
            logins,
            written: BTreeMap::new(),
            ids: BTreeMap::new(),
            references: Vec::new(),
            alike: BTreeMap::new(),
            notifying: BTreeMap::new(),
            answers: BTreeMap::new(),
            role_ends: BTreeSet::new(),
            ties: BTreeMap::new(),
            played: 0,
            copies: TaskId(0),
            groups: Vec::new(),
            over: BTreeMap::new(),
        }
    }

    /// Adds a play.
    pub(crate) fn play(&mut self, target: &Target<'_>, prepared: &Prepared<'_>, facts: &Gathering) {
        let position = self.played;
        self.played += 1;
        self.groups.clone_from(&target.last_world().groups);
        let name = target
            .play
            .name
            .as_ref()
            .map_or(&target.play.hosts.value, |name| &name.value);
        if self.list.plays == [String::new()] && self.list.tasks.is_empty() {
            self.list.plays.clear();
        }
        self.list.plays.push(name.clone());
        let Prepared { listing, programs } = prepared;
        let first = self.list.tasks.len();
        self.gather(target, position, facts);
        self.note_tags(listing.more_tags.iter().copied());
        let blocks = self.blocks(target, listing);
        self.alike.clear();
        let mut placed = Placed::new();
        let over = self.over.get(&target.family).cloned().unwrap_or_default();
        for (index, (entry, program)) in listing.entries.iter().zip(programs).enumerate() {
            self.note(entry, program);
            self.copies = TaskId(u32::try_from(self.list.tasks.len()).unwrap_or(u32::MAX));
            let hosts = target.world.play_hosts.iter();
            for host in hosts.filter(|host| entry.levels.has(host)) {
                let (triggers, answers) = self.callers(entry, host, target, &placed);
                if entry.serves.is_some() && triggers.is_empty() {
                    continue;
                }
                let failing = self.failing(listing, entry, host, &placed);
                let ended = entry.ended_by.iter();
                let ended = ended.filter_map(|index| placed.get(&(*index, host.clone())));
                let ended: Vec<TaskId> = over.iter().chain(ended.flatten()).copied().collect();
                let mut for_all = false;
                for place in self.places(target, entry, program, host) {
                    let what = (program, failing.clone(), ended.clone(), place);
                    let id = self.task(target, entry, what, host, &blocks);
                    self.may_call(&triggers, id, &answers);
                    let task = &mut self.list.tasks[id.index()];
                    task.triggers.extend(&triggers);
                    for_all = task.meets == Meets::All;
                    if entry.task.ends == Some(ast::Ends::Role) {
                        self.role_ends.insert(id);
                    }
                    if entry.task.ends == Some(ast::Ends::Play) {
                        self.over.entry(target.family).or_default().push(id);
                    }
                    // It may run for all of them.
                    for other in target
                        .world
                        .play_hosts
                        .iter()
                        .filter(|o| for_all || *o == host)
                    {
                        placed.entry((index, other.clone())).or_default().push(id);
                    }
                }
                if for_all {
                    break;
                }
            }
        }
        self.settle_notices(listing);
        for index in first..self.list.tasks.len() {
            let play = u32::try_from(self.list.plays.len() - 1).unwrap_or(u32::MAX);
            self.list.tasks[index].play = play;
            self.list.tasks[index].family = u32::try_from(target.family).unwrap_or(u32::MAX);
        }
    }

    /// Fresh numbers for the blocks of each host: a failure on one does not rescue on another.
    fn blocks(
        &mut self,
        target: &Target<'_>,
        listing: &Listing<'_>,
    ) -> BTreeMap<(String, usize), BlockId> {
        let mut ids = BTreeMap::new();
        for host in &target.world.play_hosts {
            for block in 0..listing.blocks {
                ids.insert((host.clone(), block), self.list.block());
            }
        }
        ids
    }

    fn note_tags<'t>(&mut self, tags: impl IntoIterator<Item = &'t str>) {
        for tag in tags {
            if let Err(at) = self.tags.binary_search_by(|known| known.as_str().cmp(tag)) {
                self.tags.insert(at, tag.to_owned());
            }
        }
    }

    /// Notes what is said of a task once, whatever its hosts.
    fn note(&mut self, entry: &Entry<'_>, program: &Program) {
        let tags = entry.commons.iter().flat_map(|common| &common.tags);
        self.note_tags(tags.map(|tag| tag.value.as_str()));
        let module = self.registry.get(&entry.task.module.value);
        let command = module.is_some_and(|module| module.nature() == Nature::Command);
        let guards = ["creates", "removes", "unless", "onlyif"];
        let guarded = program.has_rest() || guards.iter().any(|guard| program.arg(guard).is_some());
        let once = entry.task.once.is_some()
            || entry.commons.iter().any(|common| common.commands.is_some())
            || self.settings.commands == Some(ast::Commands::Once);
        if !command || guarded || once || entry.serves.is_some() {
            return;
        }
        let name = entry
            .task
            .name
            .as_ref()
            .map_or(&entry.task.module.value, |name| &name.value);
        self.unguarded.push(Unguarded {
            task: name.clone(),
            module: entry.task.module.value.clone(),
            place: self.store.with_files(|files| files.place(entry.task.span)),
            remedy: remedy(program, !entry.task.triggered_by.is_empty()),
        });
    }

    /// With all that earlier tasks leave behind, of which nothing is known yet.
    fn with_left(&self, scope: &Scope) -> Scope {
        let left = self.written.get(scope.host()).into_iter().flatten();
        let left = left.map(|(written, _)| Left {
            written: written.clone(),
            output: Nothing(&self.list).of(written.task),
        });
        scope.with_left(left.collect())
    }

    /// Where a task is done.
    fn places(
        &mut self,
        target: &Target<'_>,
        entry: &Entry<'_>,
        program: &Program,
        host: &str,
    ) -> Vec<Place> {
        let scope = self.with_left(&scope(target, entry, host));
        let acts = |place: &Place| {
            let name = place.name.as_deref();
            let machine = name.map(|name| self::scope(target, entry, name));
            Acts::new(entry, machine.as_ref(), self.privileges())
        };
        let places = elsewhere::places(target, entry, program, (&scope, &self.logins));
        let places = places.and_then(|places| acts::split(places, acts, program, &scope));
        places.unwrap_or_else(|fault| {
            self.faults.push(fault.or_at(entry.task.span));
            vec![Place::default()]
        })
    }

    fn task(
        &mut self,
        target: &Target<'_>,
        entry: &Entry<'_>,
        (program, failing, ended, place): (&Arc<Program>, Vec<Failing>, Vec<TaskId>, Place),
        host: &str,
        blocks: &BTreeMap<(String, usize), BlockId>,
    ) -> TaskId {
        let scope = scope(target, entry, host);
        let (needed, heeds, runs) = self.reads(program, &scope, host, self.copies);
        let way = place.way(host);
        let spare = (place.turns.as_ref()).is_some_and(elsewhere::Turns::is_spare);
        let share = place.share(self.copies).map(Arc::new);
        let name = |id: TaskId| (id, self.list.tasks[id.index()].name.clone());
        let mut body = Body {
            program: Arc::clone(program),
            scope: scope.clone(),
            written: needed,
            failing: failing.into(),
            ended_by: ended.into_iter().map(name).collect(),
            turns: place.turns,
            part: place.part,
            acts: None,
            awaits: Arc::new([]),
            registry: Arc::clone(&self.registry),
            store: Arc::clone(&self.store),
        };
        let (mut included, set) = self.variables_of(&body);
        let (found, is_made) = self.check(entry, &mut body, host);
        self.may_be_made((&mut included, is_made), &mut body, host);
        let words = Keywords::new(entry, &scope);
        let machine = place.name.as_deref();
        let machine = machine.map(|name| self::scope(target, entry, name));
        let at = match way {
            Some(way) => self.elsewhere.get(&(host.to_owned(), way)),
            None => self.hosts.get(host),
        };
        let at = at.copied().unwrap_or(HostId(0));
        body.acts = self.acts(entry, &body, machine.as_ref());
        let mut task = self
            .build(entry, &body, (at, machine.as_ref()), (heeds, runs))
            .and_then(|task| together(task, target, entry, &words))
            .unwrap_or_else(|fault| {
                self.faults.push(fault.or_at(entry.task.span));
                // It will not run, but others refer to it.
                let body = Arc::new(body.clone());
                Task::resolved("", &entry.task.module.value, body)
            });
        self.apart(entry, host, &mut task);
        let names = std::mem::take(&mut included.names);
        let sources = included.sources();
        if task.selected {
            let caught = task.ignore_errors || entry.rescued;
            self.faults.extend(included.into_faults());
            self.faults
                .extend(found.into_iter().map(|fault| at_turn(fault, caught)));
        }
        let id = self.list.task(Task {
            blocks: entry
                .blocks
                .iter()
                .filter_map(|(block, part)| Some((*blocks.get(&(host.to_owned(), *block))?, *part)))
                .collect(),
            ..task
        });
        self.notifies(&body, host, id);
        let for_all = self.list.tasks[id.index()].meets == Meets::All;
        self.makes(entry, &body, (!for_all).then_some(host), id);
        let facts_of = match elsewhere::gives_facts(entry, &scope) {
            Ok(given) => place.name.filter(|_| given),
            Err(fault) => {
                self.faults.push(fault.or_at(entry.task.span));
                None
            }
        };
        for other in &target.world.play_hosts {
            if other == host || for_all {
                self.leave(
                    entry,
                    program,
                    (other, facts_of.as_deref().unwrap_or(other)),
                    (id, spare, share.as_ref()),
                    (&names, &sources, &set),
                );
                self.name(entry, other, id);
            }
        }
        self.refer(entry, &scope, host, id);
        id
    }

    /// What the command line and the project say of as whom tasks are done.
    fn privileges(&self) -> (&Privilege, &Settings) {
        (&self.request.privilege, self.settings)
    }

    /// What says as whom a task is done, where only the run tells.
    fn acts(&self, entry: &Entry<'_>, body: &Body, machine: Option<&Scope>) -> Option<Arc<Acts>> {
        if body.part.is_some() || body.program.acts.is_empty() {
            return None;
        }
        let acts = Acts::new(entry, machine, self.privileges());
        let early = self.early(body);
        let late = match acts.identity(&early) {
            Ok(_) => false,
            Err(Trouble::NotYet(_)) => true,
            // Where its turn may not come, that is its failure if it comes.
            Err(Trouble::Faults(faults)) => {
                let conditions = body.program.when.iter();
                let surely = body::first_false(conditions, &early.variables());
                let mut codes = faults.iter().map(|fault| fault.code);
                !matches!(surely, Ok(None)) && codes.all(|code| AT_ITS_TURN.contains(&code))
            }
        };
        late.then(|| Arc::new(acts))
    }

    /// The mistakes of a task, if it is selected; what it waits for on this machine, and whether that makes what it looked
    /// for.
    fn check(&self, entry: &Entry<'_>, body: &mut Body, host: &str) -> (Vec<Fault>, bool) {
        // Tags that are wrong are told where the task is built.
        let selected = Keywords::new(entry, &body.scope).tags().is_ok_and(|tags| {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            keywords::selected(&tags, &self.request.tags, &self.request.skip_tags)
        });
        if entry.serves.is_none() && !selected {
            return (Vec::new(), false);
        }
        let nothing = Nothing(&self.list);
        let (faults, looked) = looked::noticing(|| body.check(&nothing));
        let awaits = self.makers.of(&looked, &body.scope, host, self.copies);
        if awaits.is_empty() {
            return (faults, false);
        }
        body.awaits = awaits.into();
        (body.check(&nothing), self.makers.make(&looked, self.copies))
    }

    /// Notes what a task makes on this machine.
    fn makes(&mut self, entry: &Entry<'_>, body: &Body, host: Option<&str>, id: TaskId) {
        let task = &self.list.tasks[id.index()];
        if entry.serves.is_some() || !task.selected {
            return;
        }
        let what = (&*body.program, &body.scope);
        self.makers.note((id, task), what, &self.registry, host);
    }

    /// Gives a handler that another one shares its name with an id of its own.
    fn apart(&mut self, entry: &Entry<'_>, host: &str, task: &mut Task) {
        if entry.serves.is_none() || task.id.is_some() {
            return;
        }
        let key = (host.to_owned(), task.name.clone());
        let alike = self.alike.entry(key).or_default();
        let found = alike.iter().position(|number| *number == entry.number);
        let at = found.unwrap_or(alike.len());
        if found.is_none() {
            alike.push(entry.number);
        }
        if at > 0 {
            task.id = Some(format!("{} ({})", task.name, at + 1));
        }
    }

    fn build(
        &self,
        entry: &Entry<'_>,
        body: &Body,
        (host, machine): (HostId, Option<&Scope>),
        (heeds, runs): (Vec<TaskId>, bool),
    ) -> Result<Task, Fault> {
        let task = entry.task;
        let early = self.early(body);
        let words = Keywords::new(entry, &early).on(machine);
        let module = self.registry.get(&task.module.value);
        let nature = module.map_or(Nature::State, evenkeel_engine::AnyModule::nature);
        let name = body.program.name.render(&body.scope.variables());
        let of_role = |name: String| match &entry.role {
            Some(role) => format!("{role} : {name}"),
            None => name,
        };
        let name = name.ok().and_then(|name| name.as_text()).map(of_role);
        let written = task
            .name
            .as_ref()
            .map_or(&task.module.value, |name| &name.value);
        let mut needs: Vec<TaskId> = body.written.iter().map(|written| written.task).collect();
        needs.extend(body.ended_by.iter().map(|(task, _)| *task));
        needs.extend(body.awaits.iter().map(|(task, _)| *task));
        needs.dedup();
        let judged = !task.changed_when.is_empty() || !task.failed_when.is_empty();
        let mut built = Task::resolved(
            name.unwrap_or_else(|| written.clone()),
            module.map_or(task.module.value.as_str(), |module| module.name()),
            Arc::new(body.clone()),
        );
        built.id = task.id.as_ref().map(|id| {
            let part = body.part.as_ref().map_or(0, |part| part.number);
            let numbered = [('#', entry.repeated), ('.', part)];
            let numbers = numbered.into_iter().filter(|(_, number)| *number > 0);
            numbers.fold(id.value.clone(), |id, (mark, number)| {
                format!("{id}{mark}{number}")
            })
        });
        built.place = Some(self.store.with_files(|files| files.place(task.span)));
        built.host = host;
        built.judge =
            judged.then(|| Arc::new(Verdict(body.clone())) as Arc<dyn evenkeel_engine::Judge>);
        built.pace = Rhythm::of(body).map(|pace| Arc::new(pace) as Arc<dyn evenkeel_engine::Pace>);
        built.late_identity = body.acts.is_some();
        built.identity = match &body.part {
            Some(part) => part.identity.clone(),
            None if built.late_identity => Identity::login(),
            None => words.identity(&self.request.privilege, self.settings)?,
        };
        built.needs = needs;
        built.at_turn = runs || !body.awaits.is_empty();
        built.heeds = heeds;
        built.silent = task.silent;
        (built.mute, built.spare) = muted(entry, body);
        built.handler = entry.serves.is_some();
        if built.handler {
            // Where a role has ended, its flush of handlers is as if it were not written.
            let ends = body.ended_by.iter();
            let ends = ends.filter(|(task, _)| self.role_ends.contains(task));
            built
                .mute
                .extend(ends.map(|(_, name)| body::not_ended(name)));
        }
        built.ignore_errors = words
            .flag(|common| common.ignore_errors.as_ref())?
            .unwrap_or(false);
        built.ignore_unreachable = words
            .flag(|common| common.ignore_unreachable.as_ref())?
            .unwrap_or(false);
        built.check_mode = words.flag(|common| common.check_mode.as_ref())?;
        // What is not known yet is hidden, for all items.
        built.no_log = match words.flag(|common| common.no_log.as_ref()) {
            Err(fault) if fault.code == keywords::LATE => true,
            hidden => hidden?.unwrap_or(false),
        };
        built.diff = words.flag(|common| common.diff.as_ref())?.unwrap_or(true);
        built.once = words.once(nature, self.settings)?;
        built.reads = words.things(task.reads.as_ref())?;
        built.writes = words.things(task.writes.as_ref())?;
        built.selected = built.handler || {
            let tags = words.tags()?;
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            keywords::selected(&tags, &self.request.tags, &self.request.skip_tags)
        };
        Ok(built)
    }

    /// Variables as keywords see them: results and items of a loop are not known yet.
    fn early(&self, body: &Body) -> Scope {
        let scope = self.with_left(&body.scope);
        match &body.program.loop_ {
            Some(found) => scope.with_locals(found.unknown(&NotYet::new("an item of the loop"))),
            None => scope,
        }
    }
}

fn program(
    target: &Target<'_>,
    entry: &Entry<'_>,
    registry: &Registry,
    faults: &mut Vec<Fault>,
) -> Arc<Program> {
    let mut program = Program::new(entry.task, &entry.commons, registry, faults);
    if let (Some(looped), Some(found)) = (&entry.task.loop_, &mut program.loop_) {
        let hosts = target.world.play_hosts.iter();
        let hosts = hosts.filter(|host| entry.levels.has(host));
        let scopes = || -> Vec<Scope> { hosts.map(|host| scope(target, entry, host)).collect() };
        if let Err(fault) = looped::name(looped, &mut found.names, scopes) {
            faults.push(fault);
            // What its texts mean nobody knows.
            program.when.insert(0, Condition::Is(false));
        }
    }
    Arc::new(program)
}

/// A mistake of a task whose failure is `caught` is a failure at its turn.
fn at_turn(fault: Fault, caught: bool) -> Fault {
    if caught && AT_ITS_TURN.contains(&fault.code) {
        fault.foreseen()
    } else {
        fault
    }
}

/// How a task stands to the other hosts of its play.
fn together(
    mut task: Task,
    target: &Target<'_>,
    entry: &Entry<'_>,
    words: &Keywords<'_>,
) -> Result<Task, Fault> {
    let play = target.play;
    task.forced = words.flag(|_| play.force_handlers.as_ref())?;
    task.free = play.strategy == ast::Strategy::Free;
    task.throttle = words.throttle()?;
    if target.batches > 1 {
        // Where all hosts of a batch fail, the next one does not start.
        task.bears = Some(99);
    }
    if let Some(most) = words.percent(play.max_fail_percentage.as_ref())? {
        task.bears = Some(most);
        task.meets = Meets::Earlier;
    }
    if words.flag(|common| common.any_errors_fatal.as_ref())? == Some(true) {
        task.bears = Some(0);
        task.meets = Meets::Earlier;
    }
    let for_all = matches!(entry.task.ends, Some(ast::Ends::Batch | ast::Ends::Play));
    if for_all || words.flag(|common| common.run_once.as_ref())? == Some(true) {
        task.bears = Some(0);
        task.meets = Meets::All;
    }
    Ok(task)
}

/// Conditions under which nothing is told of a task, and whether it stands there only in case.
fn muted(entry: &Entry<'_>, body: &Body) -> (Vec<String>, bool) {
    let whens = entry.commons.iter().flat_map(|common| &common.when);
    let notes = whens.filter(|when| when.text.starts_with(crate::expand::NOTE));
    let mut mute: Vec<String> = notes.map(|when| when.text.clone()).collect();
    let mut spare = mute.iter().any(|text| crate::expand::is_more(text));
    if let Some(turns) = body.turns.as_ref().filter(|turns| turns.is_late()) {
        mute.push(elsewhere::HERE.to_owned());
        spare |= turns.is_spare();
    }
    if spare {
        mute.push(crate::expand::MORE.to_owned());
    }
    (mute, spare)
}

fn scope(target: &Target<'_>, entry: &Entry<'_>, host: &str) -> Scope {
    let world = target.world_at(entry.at);
    entry.levels.scope(Arc::clone(world), host, &target.shown)
}

/// The line that would guard a command. `triggered`: it says `triggered_by`.
fn remedy(program: &Program, triggered: bool) -> String {
    let quiet = program
        .changed_when
        .iter()
        .any(|condition| matches!(condition, program::Condition::Is(false)));
    if triggered {
        "add `once: true`: then it runs when what it is `triggered_by` changed something".to_owned()
    } else if quiet {
        "it only reads, by `changed_when: false`: add `once: true` if one look is enough".to_owned()
    } else {
        "add `creates: PATH` (a file that it makes), `unless: COMMAND` (succeeds when there is nothing to do), or `once: true`".to_owned()
    }
}

#[cfg(test)]
mod tests;
