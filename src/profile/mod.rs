//! What the fuel of a run was spent on.
//!
//! The functions of a rewritten module report where they begin and end: see `module::profile`. The fuel that a store's
//! counter loses between two such events was spent by the innermost function.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

mod teller;

pub(crate) use self::teller::{ENTER, LEAVE, Profiled, ProfiledModule, START, TOLD, Teller, instantiate};

/// How the fuel of a run is spread over the functions of both languages: see
/// [`Sandbox::profile`](crate::Sandbox::profile).
///
/// A Starlark function, `file.star:name`, spends fuel only through the guests that it calls. Work that the host does for a
/// guest, such as WASI's, counts for the function of the guest that asked for it.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    nodes: Vec<Node>,
    known: BTreeMap<(usize, Arc<str>), usize>,
    /// The same for functions of guests, by instance and index, so that no names are compared at each call.
    called: BTreeMap<(usize, usize, usize), usize>,
    instances: usize,
    /// The running function.
    current: usize,
    /// The number of Starlark functions around the running guests, and the functions that are about to call another one.
    callers: usize,
    pending: Vec<String>,
}

/// A function, as called by those above it.
#[derive(Clone, Debug)]
struct Node {
    parent: usize,
    name: Arc<str>,
    depth: usize,
    fuel: u64,
}

/// The node above all others, which has no name.
const ROOT: usize = 0;

/// The maximum number of functions in a stack, and of stacks. What is beyond counts for the function above: a guest may nest
/// deeply, and in more ways than there is memory for.
const MAX_DEPTH: usize = 250;
const MAX_NODES: usize = 100_000;

impl Profile {
    fn new() -> Self {
        let root = Node { parent: ROOT, name: "".into(), depth: 0, fuel: 0 };
        Self { nodes: vec![root], ..Self::default() }
    }

    /// Returns the fuel of the whole profile.
    pub fn fuel(&self) -> u64 {
        self.nodes.iter().fold(0, |sum, node| sum.saturating_add(node.fuel))
    }

    /// Returns the profile as folded stacks, the format that tools for flame graphs read. Each line has the functions that
    /// called each other, outermost first and separated by semicolons, and the fuel that the innermost one spent itself. The
    /// lines are sorted.
    ///
    /// A stack has at most 250 functions, and there are at most 100,000 stacks. What is beyond counts for the function above.
    pub fn folded(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.fuel > 0) {
            let mut names = vec![&*node.name];
            let mut at = index;
            while at != ROOT {
                at = self.nodes.get(at).map_or(ROOT, |node| node.parent);
                names.extend(self.nodes.get(at).map(|node| &*node.name).filter(|name| !name.is_empty()));
            }
            names.reverse();
            lines.push(format!("{} {}\n", names.join(";"), node.fuel));
        }
        lines.sort();
        lines.concat()
    }

    /// Takes the profile apart: for each function its caller, its name and its fuel. A caller comes first.
    #[cfg(feature = "core")]
    pub(crate) fn to_records(&self) -> Vec<(u32, String, u64)> {
        let record = |node: &Node| {
            let parent = u32::try_from(node.parent).unwrap_or_default();
            (parent, (*node.name).to_owned(), node.fuel)
        };
        self.nodes.iter().map(record).collect()
    }

    /// Puts it together again. A function whose caller does not come first is called by none.
    #[cfg(feature = "isolated")]
    pub(crate) fn of_records(records: Vec<(u32, String, u64)>) -> Self {
        let mut profile = Self::default();
        for (index, (parent, name, fuel)) in records.into_iter().enumerate() {
            let parent = usize::try_from(parent).ok().filter(|parent| *parent < index).unwrap_or(ROOT);
            profile.nodes.push(Node { parent, name: name.into(), depth: 0, fuel });
        }
        profile
    }

    fn child(&mut self, parent: usize, name: &str) -> usize {
        let depth = self.nodes.get(parent).map_or(0, |node| node.depth).saturating_add(1);
        if depth > MAX_DEPTH {
            return parent;
        }
        let name: Arc<str> = name.into();
        if let Some(index) = self.known.get(&(parent, name.clone())) {
            return *index;
        }
        let next = self.nodes.len();
        if next >= MAX_NODES {
            return parent;
        }
        self.known.insert((parent, name.clone()), next);
        self.nodes.push(Node { parent, name, depth, fuel: 0 });
        next
    }

    fn add(&mut self, node: usize, fuel: u64) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.fuel = node.fuel.saturating_add(fuel);
        }
    }
}

/// The profile that the stores of a run share.
#[derive(Clone, Debug)]
pub(crate) struct SharedProfile(Arc<Mutex<Profile>>);

impl SharedProfile {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Profile::new())))
    }

    /// Returns a separate profile that begins as this one is now.
    pub(crate) fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    fn lock(&self) -> MutexGuard<'_, Profile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the profile. Fuel of `used` that no function has spent is the host's.
    pub(crate) fn finished(&self, used: Option<u64>) -> Profile {
        let mut profile = self.lock().clone();
        let rest = used.unwrap_or_default().saturating_sub(profile.fuel());
        let host = profile.child(ROOT, "(host)");
        profile.add(host, rest);
        profile
    }

    /// Notes the Starlark functions, outermost first, that are about to call a guest.
    pub(crate) fn note_callers(&self, all: Vec<String>) {
        let mut profile = self.lock();
        profile.pending = all;
    }
}
