//! From a command line's words to a list of tasks: everything is read and checked here, before any
//! host is touched.

mod doubts;
mod extra;
mod folders;
mod gate;
mod hints;
mod hosts;
mod made;
mod members;
mod playbooks;
mod prompts;
mod serial;
mod ways;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use doubts::sure;
use evenkeel_engine::{Map, Method, Place, Registry, Secret, TaskList, Value, host::Host};
use ways::Opening;

use crate::{
    ast::{Item, Play, Prompt},
    diagnostic::Diagnostic,
    expand::{Expanded, Expander, is_more, short},
    files::Files,
    inventory::{Inventory, limit, select},
    lower::{Gathering, Lowering, Store, Target, prepare},
    parse::check_plays,
    settings::{self, Around, Settings},
    vars::{Member, RolesOfPlay, Scope, World},
    vault::Keyring,
    words::did_you_mean,
};

pub use hosts::{Hosts, read_hosts};
pub use members::Written;

/// What is to be loaded.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Playbooks, in order.
    pub playbooks: Vec<PathBuf>,
    /// Instead of the text of a file: that of the only playbook.
    pub text: Option<String>,
    /// `--inventory`: files, directories, or `host1,host2,`. Empty: `localhost`.
    pub inventory: Vec<String>,
    /// `--limit`: a pattern of hosts.
    pub limit: Option<String>,
    /// `--tags`; empty: all.
    pub tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
    /// `--extra-vars`: `K=V …`, a JSON or YAML map, or `@FILE`.
    pub extra_vars: Vec<String>,
    /// `--become` and the like.
    pub privilege: Privilege,
    /// `--connection`: used where the inventory says nothing else.
    pub connection: Option<String>,
    /// `--user`: the login user, where the inventory says nothing else.
    pub user: Option<String>,
    /// `--check`: what `ansible_check_mode` is.
    pub check: bool,
    /// `--diff`: what `ansible_diff_mode` is.
    pub diff: bool,
    /// Folders in which roles are looked for, after `roles` beside the playbook. Empty: the usual ones.
    pub roles_path: Vec<PathBuf>,
    /// Settings that are said elsewhere than in the file of settings.
    pub around: Around,
    /// The passwords of vaults.
    pub keys: Arc<Keyring>,
    /// What was answered to `vars_prompt`, by variable; for those without an answer their defaults count. Nothing:
    /// nobody was asked yet, and what they are is not known.
    pub answers: Option<BTreeMap<String, Value>>,
}

/// Privilege as the command line asks for it; playbooks and inventories win, but for the password.
#[derive(Clone, Debug, Default)]
pub struct Privilege {
    /// `--become`.
    pub on: bool,
    /// `--become-user`.
    pub user: Option<String>,
    /// `--become-method`.
    pub method: Option<Method>,
    /// From `--ask-become-pass` or `--become-password-file`.
    pub password: Option<Secret>,
}

/// The roles that a play names itself; of others nothing is known before it is put together.
fn named_roles(play: &Play) -> RolesOfPlay {
    let mut named: Vec<String> = Vec::new();
    for include in &play.roles {
        if let crate::ast::What::Role(call) = &include.what
            && !crate::template::is_template(&call.name.text)
        {
            let name = short(&call.name.text).to_owned();
            if !named.contains(&name) {
                named.push(name);
            }
        }
    }
    RolesOfPlay {
        named,
        dependencies: None,
    }
}

/// Variables that are the same for the whole run, as far as the command line decides them.
fn of_the_run(request: &Request) -> Map {
    let texts =
        |texts: &[String]| -> Value { texts.iter().map(|text| text.as_str().into()).collect() };
    let all = ["all".to_owned()];
    let tags = if request.tags.is_empty() {
        &all[..]
    } else {
        &request.tags
    };
    let mut run: Vec<(&str, Value)> = vec![
        (
            "ansible_connection",
            request.connection.as_deref().unwrap_or("ssh").into(),
        ),
        ("ansible_inventory_sources", texts(&request.inventory)),
        // Inventories say it of this machine; no Python is run.
        ("ansible_playbook_python", "/usr/bin/python3".into()),
        ("ansible_run_tags", texts(tags)),
        ("ansible_skip_tags", texts(&request.skip_tags)),
        ("ansible_verbosity", 0.into()),
    ];
    let user = request.user.as_deref();
    run.extend(user.map(|user| ("ansible_user", user.into())));
    run.extend(
        request
            .limit
            .as_deref()
            .map(|limit| ("ansible_limit", limit.into())),
    );
    // Of several inventories the first is meant, as with Ansible that of a host is.
    let path = request
        .inventory
        .iter()
        .find(|source| !source.contains(','));
    if let Some(path) = path.and_then(|path| std::path::absolute(path).ok()) {
        let dir = if path.is_dir() {
            Some(path.as_path())
        } else {
            path.parent()
        };
        let dir = dir.map(|dir| dir.display().to_string());
        run.extend(dir.map(|dir| ("inventory_dir", dir.into())));
        run.push(("inventory_file", path.display().to_string().into()));
    }
    run.into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A host as the inventory has it, for whoever opens its connection.
#[derive(Clone, Debug, Default)]
pub struct HostVars {
    /// The inventory's name.
    pub name: String,
    /// Its variables whose names begin with `ansible_`, rendered: `ansible_host`, `ansible_port`,
    /// `ansible_user`, `ansible_connection`, `ansible_ssh_private_key_file` …, with the play's
    /// `connection`, `remote_user` and `port`, and the command line's, already put in.
    pub vars: Map,
    /// Where the inventory names it.
    pub place: Option<Place>,
}

/// Opens the way to a host; nothing has to go over it yet.
pub type Connect<'a> = dyn Fn(&HostVars) -> Result<Arc<dyn Host>, Diagnostic> + 'a;

/// Playbooks that can be run.
#[derive(Debug)]
pub struct Loaded {
    /// The tasks of all hosts, in listed order.
    pub list: TaskList,
    /// The texts of all files that were read, to show lines of them.
    pub files: Files,
    /// The project's settings.
    pub settings: Settings,
    /// All hosts of the inventory but this machine, which nobody has to name.
    pub known: Vec<String>,
    /// Words for the user that stop nothing.
    pub warnings: Vec<Diagnostic>,
    /// Commands that will run every time, each with the line that would guard it.
    pub unguarded: Vec<Unguarded>,
    /// How many plays were read.
    pub plays: usize,
    /// How many tasks were read, roles and includes expanded once.
    pub tasks: usize,
    /// All tags that occur, sorted.
    pub tags: Vec<String>,
    /// What is to be asked for, each variable once: nobody was asked yet, and the command line does not give it.
    pub prompts: Vec<Prompt>,
}

/// A command that nothing guards.
#[derive(Clone, Debug)]
pub struct Unguarded {
    /// The task's name.
    pub task: String,
    /// `command`, `shell` …
    pub module: String,
    /// Where it is written.
    pub place: Place,
    /// What to write to guard it.
    pub remedy: String,
}

/// Playbooks that cannot be run.
#[derive(Debug)]
pub struct Refused {
    /// What is wrong, and words that stop nothing.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts in which it is.
    pub files: Files,
    /// How many plays were read nevertheless.
    pub plays: usize,
    /// How many tasks were read nevertheless.
    pub tasks: usize,
}

impl Refused {
    /// For one mistake, found before anything was read.
    pub(crate) fn of(error: Diagnostic) -> Self {
        Self {
            diagnostics: vec![error],
            files: Files::new(),
            plays: 0,
            tasks: 0,
        }
    }
}

/// Reads and checks everything; all mistakes at once.
pub fn load(
    request: &Request,
    registry: &Arc<Registry>,
    connect: &Connect<'_>,
) -> Result<Loaded, Vec<Diagnostic>> {
    load_with_files(request, registry, connect).map_err(|refused| refused.diagnostics)
}

/// As [`load`]; with the mistakes come the texts in which they are.
pub fn load_with_files(
    request: &Request,
    registry: &Arc<Registry>,
    connect: &Connect<'_>,
) -> Result<Loaded, Refused> {
    let mut loader = Loader {
        request,
        files: Files::with_keys(Arc::clone(&request.keys)),
        out: Vec::new(),
    };
    let read = loader.read(registry);
    let Loader { files, out, .. } = loader;
    match read {
        Some(read) => read.lower(request, registry, connect, files, out),
        None => Err(Refused {
            diagnostics: tidy(out),
            files,
            plays: 0,
            tasks: 0,
        }),
    }
}

struct Loader<'a> {
    request: &'a Request,
    files: Files,
    out: Vec<Diagnostic>,
}

/// What was read, before hosts and variables meet.
struct Read {
    /// Plays, each with the file in which it stands.
    plays: Vec<(PathBuf, Play)>,
    settings: Settings,
    inventory: Inventory,
    members: BTreeMap<String, Arc<Member>>,
    extra: Map,
    limit: Option<Vec<String>>,
    /// Folders with `group_vars` and `host_vars`.
    folders: Vec<PathBuf>,
    /// Hosts that the run may put into groups.
    perhaps: Vec<made::Perhaps>,
}

/// A play with what it brings in.
struct Staged {
    /// What its tasks share.
    world: Arc<World>,
    /// The same for those after so many that make hosts and groups.
    later: Vec<(usize, Arc<World>)>,
    expanded: Expanded,
}

impl Loader<'_> {
    fn read(&mut self, registry: &Registry) -> Option<Read> {
        let extra = match extra::read(&self.request.extra_vars, &self.request.keys) {
            Ok(extra) => extra,
            Err(message) => {
                self.out.push(Diagnostic::nowhere("extra_vars", message));
                Map::new()
            }
        };
        let plays = self.plays(&registry.names(), &extra);
        let first = self.request.playbooks.first()?;
        let (settings, found) = settings::load(&mut self.files, first);
        let settings = self.request.around.with(&settings);
        self.out.extend(found);
        let sources = if self.request.inventory.is_empty() {
            &settings.inventory
        } else {
            &self.request.inventory
        };
        let (inventory, found) = Inventory::read(&mut self.files, sources);
        self.out.extend(found);
        let limit = self.limit(&inventory);
        let mut folders: Vec<PathBuf> = folders::of_inventories(sources);
        folders.push(folders::of_file(first));
        let members = members::all(&inventory, &folders, &mut self.files, &mut self.out);
        Some(Read {
            plays,
            settings,
            inventory,
            members,
            extra,
            limit,
            folders,
            perhaps: Vec::new(),
        })
    }
}

impl Loader<'_> {
    /// The hosts that `--limit` leaves.
    fn limit(&mut self, inventory: &Inventory) -> Option<Vec<String>> {
        let pattern = self.request.limit.as_ref()?;
        let say = |message: &str| {
            Diagnostic::nowhere("pattern", format!("`--limit {pattern}`: {message}"))
        };
        match limit(inventory, pattern) {
            Ok(found) if found.hosts.is_empty() => {
                let why = found.warnings.first().map(String::as_str);
                let found = say(why.unwrap_or("it leaves no host"));
                self.out.push(
                    found.help(
                        "`evenkeel inventory --graph` shows which hosts and groups there are",
                    ),
                );
                None
            }
            Ok(found) => {
                let warnings = found.warnings.iter();
                self.out
                    .extend(warnings.map(|warning| say(warning).warning()));
                Some(found.hosts)
            }
            Err(message) => {
                self.out.push(say(&message));
                None
            }
        }
    }
}

impl Read {
    fn lower(
        mut self,
        request: &Request,
        registry: &Arc<Registry>,
        connect: &Connect<'_>,
        files: Files,
        mut out: Vec<Diagnostic>,
    ) -> Result<Loaded, Refused> {
        let mut found = Vec::new();
        let store = Arc::new(Store::new(files));
        let mut faults = Vec::new();
        let staged = self.stage(
            (request, registry, &store),
            (&mut out, &mut found, &mut faults),
        );
        let plays: Vec<&Play> = staged.iter().map(|one| &one.expanded.play).collect();
        found.extend(check_plays(&plays));
        let mut targets = Vec::new();
        for (family, staged) in staged.iter().enumerate() {
            targets.extend(self.targets(staged, family, &mut found));
        }
        let prepared: Vec<_> = targets
            .iter()
            .map(|target| prepare(target, request, registry, &mut faults))
            .collect();
        let within = |host: &str| {
            self.limit
                .as_ref()
                .is_none_or(|limit| limit.iter().any(|one| one == host))
        };
        let facts = Gathering::new(&targets, &prepared, registry, &store, &within);
        let opening = Opening {
            request,
            connect,
            store: &store,
        };
        let ways = self.ways((&targets, &prepared, &facts), opening, &mut found);
        let mut lowering = Lowering::new(
            request,
            &self.settings,
            Arc::clone(registry),
            Arc::clone(&store),
            ways,
        );
        lowering.faults = faults;
        lowering.limit.clone_from(&self.limit);
        for (target, prepared) in targets.iter().zip(&prepared) {
            lowering.play(target, prepared, &facts);
        }
        lowering.finish();
        found.extend(lowering.cycle());
        let Lowering {
            list,
            faults,
            unguarded,
            tags,
            ..
        } = lowering;
        found.extend(
            faults
                .iter()
                .map(|fault| store.with_files(|files| fault.diagnostic(files))),
        );
        let files = store.with_files(Files::clone);
        out.extend(sure(found, &out, &files, &plays));
        out.extend(unknown_tags(request, &tags));
        let out = tidy(out);
        let tasks = plays.iter().map(|play| count_play(play)).sum();
        if out.iter().any(Diagnostic::is_error) {
            return Err(Refused {
                diagnostics: out,
                files,
                plays: plays.len(),
                tasks,
            });
        }
        Ok(Loaded {
            prompts: self.prompts(request),
            list,
            files,
            tasks,
            plays: plays.len(),
            warnings: out,
            unguarded: once_each(unguarded),
            tags,
            known: self.others(),
            settings: self.settings,
        })
    }

    fn others(&self) -> Vec<String> {
        let all = self.inventory.hosts.keys();
        all.filter(|name| *name != "localhost").cloned().collect()
    }

    /// Plays with what they bring in, and their worlds.
    fn stage(
        &mut self,
        (request, registry, store): (&Request, &Registry, &Store),
        (out, found, faults): (
            &mut Vec<Diagnostic>,
            &mut Vec<Diagnostic>,
            &mut Vec<crate::template::Fault>,
        ),
    ) -> Vec<Staged> {
        let mut roles_path = self.settings.roles_path.clone();
        roles_path.extend(request.roles_path.iter().cloned());
        let mut expander = Expander::new(store, registry, &roles_path);
        let mut staged = Vec::new();
        let plays = std::mem::take(&mut self.plays);
        for (path, play) in &plays {
            let gated = self.gated(play, found);
            let play = gated.as_ref().unwrap_or(play);
            let world = Arc::new(self.world((path, play), request, found));
            let answers = prompts::layer(play, &world, request, faults);
            let expanded = expander.play(play, (&folders::of_file(path), answers), &world);
            let own = &expanded.play;
            let sections = [&own.pre_tasks, &own.tasks, &own.post_tasks];
            let makes = sections.iter().any(|items| made::any(items));
            let mut one = Staged {
                world,
                expanded,
                later: Vec::new(),
            };
            if makes {
                // What is wrong is found again when all is lowered.
                let targets = self.targets(&one, 0, &mut Vec::new());
                let mut later = Vec::new();
                if let Some(target) = targets.first() {
                    let prepared = prepare(target, request, registry, &mut Vec::new());
                    for (entry, program) in prepared.makers(request) {
                        let made = expander.made(entry, program);
                        if made.is_empty() {
                            continue;
                        }
                        self.take(made, request.limit.as_ref(), store, found);
                        let world = World {
                            hosts: self.members.clone(),
                            groups: self.groups(),
                            ..(*one.world).clone()
                        };
                        let world = Arc::new(world);
                        expander.goes_on(&world);
                        later.push((entry.at + 1, world));
                    }
                }
                one.later = later;
            }
            staged.push(one);
        }
        self.plays = plays;
        out.append(&mut expander.out);
        faults.append(&mut expander.faults);
        staged
    }

    fn project(&self) -> String {
        if let Some(project) = &self.settings.project {
            return project.value.clone();
        }
        let folder = self.plays.first().map(|(path, _)| folders::of_file(path));
        let folder = folder.and_then(|folder| std::path::absolute(folder).ok());
        let name = folder.as_deref().and_then(Path::file_name);
        name.map_or_else(
            || "playbooks".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    /// What the tasks of a play share.
    fn world(
        &self,
        (path, play): (&Path, &Play),
        request: &Request,
        out: &mut Vec<Diagnostic>,
    ) -> World {
        let folder = folders::of_file(path);
        let mut world = World {
            extra: crate::vars::Layer::values(self.extra.clone()).into(),
            hosts: self.members.clone(),
            groups: self.groups(),
            playbook_dir: std::path::absolute(&folder)
                .unwrap_or_else(|_| folder.clone())
                .display()
                .to_string(),
            play: play.name.as_ref().unwrap_or(&play.hosts).value.clone(),
            roles: named_roles(play),
            run: Arc::new(of_the_run(request)),
            check: request.check,
            diff: request.diff,
            keys: Arc::clone(&request.keys),
            ..World::default()
        };
        world.all_play_hosts = self.hosts_of(play, &world, out);
        let order = serial::order_of(play, &self.extra).unwrap_or_else(|fault| {
            out.push(Diagnostic::error(fault.code, fault.at, fault.message).help(fault.help));
            crate::ast::HostOrder::Inventory
        });
        serial::order(order, &mut world.all_play_hosts);
        world.play_hosts.clone_from(&world.all_play_hosts);
        world
    }

    /// A play on its hosts: once, or once for each batch.
    fn targets<'p>(
        &self,
        Staged {
            world,
            expanded,
            later,
        }: &'p Staged,
        family: usize,
        out: &mut Vec<Diagnostic>,
    ) -> Vec<Target<'p>> {
        let play = &expanded.play;
        let sizes = serial::sizes(play, &expanded.levels.play, &self.extra);
        let sizes = sizes.unwrap_or_else(|fault| {
            out.push(Diagnostic::error(fault.code, fault.at, fault.message).help(fault.help));
            Vec::new()
        });
        let batches = serial::batches(&world.all_play_hosts, &sizes);
        let of_batch = |world: &World, hosts: &[String]| {
            Arc::new(World {
                roles: expanded.roles.clone(),
                play_hosts: hosts.to_vec(),
                ..world.clone()
            })
        };
        let target = |hosts: Vec<String>| Target {
            play,
            world: of_batch(world, &hosts),
            later: (later.iter())
                .map(|(after, world)| (*after, of_batch(world, &hosts)))
                .collect(),
            levels: Arc::clone(&expanded.levels),
            shown: Arc::clone(&expanded.shown),
            family,
            batches: batches.len(),
        };
        batches.iter().cloned().map(target).collect()
    }

    /// What somebody is to be asked for.
    fn prompts(&self, request: &Request) -> Vec<Prompt> {
        let mut prompts: Vec<Prompt> = Vec::new();
        if request.answers.is_some() {
            return prompts;
        }
        for prompt in self.plays.iter().flat_map(|(_, play)| &play.prompts) {
            let name = &prompt.name.value;
            let known = prompts.iter().any(|other| other.name.value == *name);
            if !known && !self.extra.contains_key(name) {
                prompts.push(prompt.clone());
            }
        }
        prompts
    }

    fn groups(&self) -> Vec<(String, Vec<String>)> {
        let written = self.inventory.groups.keys().map(String::as_str);
        let mut names: Vec<&str> = written
            .filter(|name| *name != "all" && *name != "ungrouped")
            .collect();
        names.extend(["all", "ungrouped"]);
        let hosts = |group: &str| {
            self.inventory
                .hosts_in(group)
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        names
            .into_iter()
            .map(|name| (name.to_owned(), hosts(name)))
            .collect()
    }

    fn hosts_of(&self, play: &Play, world: &World, out: &mut Vec<Diagnostic>) -> Vec<String> {
        let mut pattern = play.hosts.value.clone();
        if crate::template::is_template(&pattern) {
            let world = World {
                extra: crate::vars::Layer::values(self.extra.clone()).into(),
                groups: world.groups.clone(),
                ..World::default()
            };
            let scope = Scope::new(Arc::new(world), "", Vec::new(), Vec::new());
            let rendered = crate::template::Template::text(&pattern, play.hosts.span)
                .map_err(|mut faults| faults.remove(0))
                .and_then(|template| template.evaluate(&scope.variables()));
            match rendered {
                Ok(Value::Seq(items)) => {
                    pattern = items
                        .iter()
                        .filter_map(Value::as_text)
                        .collect::<Vec<_>>()
                        .join(",");
                }
                Ok(value) => pattern = value.as_text().unwrap_or_default(),
                Err(fault) => {
                    let message = format!(
                        "{}: `hosts` sees `--extra-vars` and `groups` only",
                        fault.message
                    );
                    out.push(Diagnostic::error(fault.code, play.hosts.span, message));
                    return Vec::new();
                }
            }
        }
        if let Some(hosts) = self.candidates(&pattern) {
            let limited =
                |host: &String| self.limit.as_ref().is_none_or(|limit| limit.contains(host));
            return hosts.into_iter().filter(limited).collect();
        }
        match select(&self.inventory, &pattern) {
            Ok(found) => {
                for warning in found.warnings {
                    out.push(Diagnostic::error("pattern", play.hosts.span, warning).warning());
                }
                let limited =
                    |host: &String| self.limit.as_ref().is_none_or(|limit| limit.contains(host));
                found.hosts.into_iter().filter(limited).collect()
            }
            Err(message) => {
                out.push(Diagnostic::error("pattern", play.hosts.span, message));
                Vec::new()
            }
        }
    }
}

/// Each batch of a play lists its tasks.
fn once_each(mut unguarded: Vec<Unguarded>) -> Vec<Unguarded> {
    let mut seen = BTreeSet::new();
    unguarded.retain(|one| seen.insert((one.place.clone(), one.task.clone())));
    unguarded
}

fn count_play(play: &Play) -> usize {
    let sections = [&play.pre_tasks, &play.tasks, &play.post_tasks];
    let tasks: usize = sections.iter().map(|items| count(items)).sum();
    tasks + count(&play.handlers)
}

fn count(items: &[Item]) -> usize {
    items
        .iter()
        .map(|item| match item {
            Item::Task(task) => usize::from(!task.silent),
            Item::Block(block) => count(&block.body) + count(&block.rescue) + count(&block.always),
            // A turn of a loop that is there once.
            Item::Part(part)
                if part
                    .common
                    .when
                    .first()
                    .is_some_and(|when| is_more(&when.text)) =>
            {
                0
            }
            Item::Part(part) => count(&part.body),
            Item::Meta(_) | Item::Include(_) => 0,
        })
        .sum()
}

/// Each thing said once (a mistake is found for each host), in the order of the files.
fn tidy(mut out: Vec<Diagnostic>) -> Vec<Diagnostic> {
    // What is an error at one place and none at another is one.
    let order = |found: &Diagnostic| !found.is_error();
    out.sort_by(|a, b| {
        (a.at, a.code, &a.message, order(a)).cmp(&(b.at, b.code, &b.message, order(b)))
    });
    out.dedup_by(|a, b| (a.at, a.code, &a.message) == (b.at, b.code, &b.message));
    out
}

/// A tag that is asked for and that no task has selects nothing: that is said.
fn unknown_tags(request: &Request, known: &[String]) -> Vec<Diagnostic> {
    const SPECIAL: [&str; 5] = ["all", "always", "never", "tagged", "untagged"];
    let asked = request.tags.iter().chain(&request.skip_tags);
    let unknown = asked.filter(|tag| !known.contains(tag) && !SPECIAL.contains(&tag.as_str()));
    let said = unknown.map(|tag| {
        let found = Diagnostic::nowhere("unknown_tag", format!("no task has the tag `{tag}`"));
        let near = did_you_mean(tag, known.iter().map(String::as_str));
        found
            .warning()
            .help(near.unwrap_or_else(|| "`--list-tags` lists those there are".to_owned()))
    });
    said.collect()
}
