//! What tasks touch on a host: the ground of inferred order.

/// Something of a host that one task may write and another read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// One path.
    Path(String),
    /// A path and all below it.
    Tree(String),
    /// A user.
    User(String),
    /// A group.
    Group(String),
    /// A unit of systemd.
    Unit(String),
    /// A database object or the like, by a name its module chooses.
    Object(String),
    /// A named lock.
    Lock(String),
    /// Everything of the host.
    Everything,
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(name) => write!(f, "`{name}`"),
            Self::Tree(name) => write!(f, "all below `{name}`"),
            Self::User(name) => write!(f, "the user `{name}`"),
            Self::Group(name) => write!(f, "the group `{name}`"),
            Self::Unit(name) => write!(f, "the unit `{name}`"),
            Self::Object(name) => write!(f, "`{name}`"),
            Self::Lock(name) => write!(f, "the lock `{name}`"),
            Self::Everything => f.write_str("everything"),
        }
    }
}

/// What a task writes, and reads beyond what it observes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touches {
    /// Read; what `observe` asks is added by the engine.
    pub reads: Vec<Thing>,
    /// Written.
    pub writes: Vec<Thing>,
    /// Two tasks with the same word here never conflict (packages).
    pub commutes: Option<&'static str>,
    /// Symbolic links that it may make: where, and what is written in them. Whoever goes through
    /// one touches what it leads to.
    pub links: Vec<(String, String)>,
}

impl Touches {
    /// Of a task that cannot list what it reads and writes.
    pub fn everything() -> Self {
        Self {
            writes: vec![Thing::Everything],
            ..Self::default()
        }
    }

    /// Of a task that touches nothing of the host.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Of a task that writes these.
    pub fn writes(things: impl IntoIterator<Item = Thing>) -> Self {
        Self {
            writes: things.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Adds what it reads.
    #[must_use]
    pub fn reading(mut self, things: impl IntoIterator<Item = Thing>) -> Self {
        self.reads.extend(things);
        self
    }

    /// Adds a symbolic link that it may make.
    #[must_use]
    pub fn linking(mut self, path: impl Into<String>, target: impl Into<String>) -> Self {
        self.links.push((path.into(), target.into()));
        self
    }
}
