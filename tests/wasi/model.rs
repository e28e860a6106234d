//! Files compared with a model: any sequence of calls has the results that a much simpler file system gives.
//!
//! The model knows neither rights nor links nor `..`, which `path.star` and `fd.star` test.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use wasmlark::{Limits, Sandbox, Value};

const SCRIPT: &str = r#"
load("lib.star", "ROOT", "DIRECTORY", "guest", "link", "names", "on_path", "open", "read", "rename", "seek", "stat", "write")

current = [None]

def new():
    current[0] = guest()

def contents():
    return {path: content for path, content in current[0].machine.files.items()}

def do_open(g, path, oflags, flags):
    errno, fd = open(g, path, oflags, flags = flags)
    return [errno, None if errno else fd]

def do_write(g, fd, text):
    errno, count = write(g, fd, text)
    return [errno, None if errno else count]

def do_pwrite(g, fd, text, offset):
    g.memory.write_string(16384, text)
    g.memory.pack("II", 64, 16384, len(text))
    return [g.call.fd_pwrite(fd, 64, 1, offset, 0), None]

def do_read(g, fd, length):
    errno, text = read(g, fd, length)
    return [errno, None if errno else text]

def do_pread(g, fd, length, offset):
    g.memory.pack("II", 64, 16384, length)
    errno = g.call.fd_pread(fd, 64, 1, offset, 0)
    return [errno, None if errno else g.memory.read_string(16384, g.memory.read_u32(0))]

def do_seek(g, fd, offset, whence):
    errno, position = seek(g, fd, offset, whence)
    return [errno, None if errno else position]

def do_list(g, fd):
    errno = g.call.fd_readdir(fd, 16384, 0, 0, 0)
    return [errno, None if errno else sorted(names(g, fd))]

def do_stat(g, path):
    errno, found = stat(g, path)
    return [errno, None if errno else [found.kind, found.size, found.links if found.kind == 4 else 0]]

CALLS = {
    "open": do_open, "write": do_write, "pwrite": do_pwrite, "read": do_read, "pread": do_pread, "seek": do_seek,
    "list": do_list, "stat": do_stat,
    "close": lambda g, fd: [g.call.fd_close(fd), None],
    "renumber": lambda g, a, b: [g.call.fd_renumber(a, b), None],
    "resize": lambda g, fd, size: [g.call.fd_filestat_set_size(fd, size), None],
    "mkdir": lambda g, path: [on_path(g, g.call.path_create_directory, path), None],
    "rmdir": lambda g, path: [on_path(g, g.call.path_remove_directory, path), None],
    "unlink": lambda g, path: [on_path(g, g.call.path_unlink_file, path), None],
    "rename": lambda g, a, b: [rename(g, a, b), None],
    "link": lambda g, a, b: [link(g, a, b), None],
}

def call(name, arguments):
    return CALLS[name](current[0], *arguments)
"#;

const BADF: i64 = 8;
const EXIST: i64 = 20;
const INVAL: i64 = 28;
const ISDIR: i64 = 31;
const NOENT: i64 = 44;
const NOTDIR: i64 = 54;
const NOTEMPTY: i64 = 55;
const PERM: i64 = 63;

const CREAT: i64 = 1;
const DIRECTORY: i64 = 2;
const EXCL: i64 = 4;
const TRUNC: i64 = 8;
const APPEND: i64 = 1;

/// The descriptor from which all paths go: at first that of the root directory. Those before it are the standard streams.
const ROOT: i64 = 3;

#[derive(Debug, Clone)]
enum Step {
    Open(String, i64, i64),
    Close(i64),
    Renumber(i64, i64),
    Write(i64, String),
    Pwrite(i64, String, i64),
    Read(i64, i64),
    Pread(i64, i64, i64),
    Seek(i64, i64, i64),
    Resize(i64, i64),
    List(i64),
    Stat(String),
    Mkdir(String),
    Rmdir(String),
    Unlink(String),
    Rename(String, String),
    Link(String, String),
}

impl Step {
    fn call(&self) -> (&'static str, Vec<Value>) {
        let text = |text: &String| Value::from(text.as_str());
        match self {
            Self::Open(path, oflags, flags) => ("open", vec![text(path), (*oflags).into(), (*flags).into()]),
            Self::Close(fd) => ("close", vec![(*fd).into()]),
            Self::Renumber(from, to) => ("renumber", vec![(*from).into(), (*to).into()]),
            Self::Write(fd, content) => ("write", vec![(*fd).into(), text(content)]),
            Self::Pwrite(fd, content, at) => ("pwrite", vec![(*fd).into(), text(content), (*at).into()]),
            Self::Read(fd, length) => ("read", vec![(*fd).into(), (*length).into()]),
            Self::Pread(fd, length, at) => ("pread", vec![(*fd).into(), (*length).into(), (*at).into()]),
            Self::Seek(fd, offset, whence) => ("seek", vec![(*fd).into(), (*offset).into(), (*whence).into()]),
            Self::Resize(fd, size) => ("resize", vec![(*fd).into(), (*size).into()]),
            Self::List(fd) => ("list", vec![(*fd).into()]),
            Self::Stat(path) => ("stat", vec![text(path)]),
            Self::Mkdir(path) => ("mkdir", vec![text(path)]),
            Self::Rmdir(path) => ("rmdir", vec![text(path)]),
            Self::Unlink(path) => ("unlink", vec![text(path)]),
            Self::Rename(from, to) => ("rename", vec![text(from), text(to)]),
            Self::Link(from, to) => ("link", vec![text(from), text(to)]),
        }
    }
}

/// Few names, so that steps meet.
fn path() -> impl Strategy<Value = String> {
    vec(prop_oneof![Just("a"), Just("b"), Just("c")], 1..4).prop_map(|names| names.join("/"))
}

fn step() -> impl Strategy<Value = Step> {
    let fd = || prop_oneof![1 => Just(ROOT), 9 => ROOT + 1..ROOT + 6];
    let content = || vec(proptest::char::range('a', 'z'), 1..12).prop_map(String::from_iter);
    let oflags = || {
        prop_oneof![
            4 => Just(CREAT), 2 => Just(DIRECTORY), 1 => Just(0), 1 => Just(CREAT | EXCL), 1 => Just(TRUNC),
            1 => Just(CREAT | TRUNC), 1 => 0..16i64
        ]
    };
    let flags = || prop_oneof![3 => Just(0), 1 => Just(APPEND)];
    prop_oneof![
        6 => (path(), oflags(), flags()).prop_map(|(path, oflags, flags)| Step::Open(path, oflags, flags)),
        2 => fd().prop_map(Step::Close),
        1 => (fd(), fd()).prop_map(|(from, to)| Step::Renumber(from, to)),
        4 => (fd(), content()).prop_map(|(fd, text)| Step::Write(fd, text)),
        2 => (fd(), content(), -1..30i64).prop_map(|(fd, text, at)| Step::Pwrite(fd, text, at)),
        3 => (fd(), 0..20i64).prop_map(|(fd, length)| Step::Read(fd, length)),
        2 => (fd(), 0..20i64, -1..30i64).prop_map(|(fd, length, at)| Step::Pread(fd, length, at)),
        3 => (fd(), -10..30i64, 0..4i64).prop_map(|(fd, offset, whence)| Step::Seek(fd, offset, whence)),
        2 => (fd(), -1..40i64).prop_map(|(fd, size)| Step::Resize(fd, size)),
        2 => fd().prop_map(Step::List),
        2 => path().prop_map(Step::Stat),
        5 => path().prop_map(Step::Mkdir),
        2 => path().prop_map(Step::Rmdir),
        3 => path().prop_map(Step::Unlink),
        4 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        3 => (path(), path()).prop_map(|(from, to)| Step::Link(from, to)),
    ]
}

enum Node {
    File(Vec<u8>),
    /// `None` once it has been removed.
    Directory(Option<BTreeMap<String, usize>>),
}

#[derive(Clone, Copy)]
struct Open {
    node: usize,
    position: i64,
    append: bool,
}

/// The nodes, of which the first is the root and none ever goes, and the descriptors.
struct Model {
    nodes: Vec<Node>,
    open: BTreeMap<i64, Open>,
}

type Outcome = Result<Value, i64>;

const NOTHING: Outcome = Ok(Value::None);

impl Model {
    fn new() -> Self {
        let root = Open { node: 0, position: 0, append: false };
        Self { nodes: vec![Node::Directory(Some(BTreeMap::new()))], open: BTreeMap::from([(ROOT, root)]) }
    }

    fn entries(&self, node: usize) -> Result<&BTreeMap<String, usize>, i64> {
        match &self.nodes[node] {
            Node::Directory(entries) => entries.as_ref().ok_or(NOENT),
            Node::File(_) => Err(NOTDIR),
        }
    }

    fn entries_mut(&mut self, node: usize) -> &mut BTreeMap<String, usize> {
        let Node::Directory(Some(entries)) = &mut self.nodes[node] else { panic!("no directory") };
        entries
    }

    /// Returns the directory that a path leads to, its last name, and what is there.
    fn find(&self, path: &str) -> Result<(usize, String, Option<usize>), i64> {
        let mut directory = self.open.get(&ROOT).ok_or(BADF)?.node;
        let mut names: Vec<&str> = path.split('/').collect();
        let last = names.pop().unwrap();
        for name in names {
            directory = *self.entries(directory)?.get(name).ok_or(NOENT)?;
        }
        Ok((directory, last.to_owned(), self.entries(directory)?.get(last).copied()))
    }

    fn existing(&self, path: &str) -> Result<(usize, String, usize), i64> {
        let (directory, name, node) = self.find(path)?;
        Ok((directory, name, node.ok_or(NOENT)?))
    }

    fn is_directory(&self, node: usize) -> bool {
        matches!(self.nodes[node], Node::Directory(_))
    }

    fn is_within(&self, node: usize, directory: usize) -> bool {
        let inside = |entries: &BTreeMap<String, usize>| {
            entries.values().any(|entry| self.is_directory(*entry) && self.is_within(node, *entry))
        };
        node == directory || self.entries(directory).is_ok_and(inside)
    }

    fn make(&mut self, directory: usize, name: String, node: Node) -> usize {
        self.nodes.push(node);
        let made = self.nodes.len() - 1;
        self.entries_mut(directory).insert(name, made);
        made
    }

    /// Returns the descriptor of a file, and its content.
    fn file(&mut self, fd: i64) -> Result<(&mut Open, &mut Vec<u8>), i64> {
        let open = self.open.get_mut(&fd).ok_or(BADF)?;
        match &mut self.nodes[open.node] {
            Node::File(content) => Ok((open, content)),
            Node::Directory(_) => Err(ISDIR),
        }
    }

    fn apply(&mut self, step: &Step) -> Outcome {
        match step {
            Step::Open(path, oflags, flags) => {
                let is = |flag: i64| oflags & flag != 0;
                if is(CREAT) && is(DIRECTORY) {
                    return Err(INVAL);
                }
                let (directory, name, node) = self.find(path)?;
                let node = match node {
                    Some(_) if is(CREAT) && is(EXCL) => return Err(EXIST),
                    // A descriptor that can write, unless it is for a directory.
                    Some(node) if self.is_directory(node) && (!is(DIRECTORY) || is(TRUNC)) => return Err(ISDIR),
                    Some(node) if !self.is_directory(node) && is(DIRECTORY) => return Err(NOTDIR),
                    Some(node) => node,
                    None if is(CREAT) => self.make(directory, name, Node::File(Vec::new())),
                    None => return Err(NOENT),
                };
                if let (Node::File(content), true) = (&mut self.nodes[node], is(TRUNC)) {
                    content.clear();
                }
                // The streams stay open.
                let fd = (ROOT..).find(|fd| !self.open.contains_key(fd)).unwrap();
                self.open.insert(fd, Open { node, position: 0, append: flags & APPEND != 0 });
                Ok(fd.into())
            }
            Step::Close(fd) => self.open.remove(fd).map(|_| Value::None).ok_or(BADF),
            Step::Renumber(from, to) => {
                if !self.open.contains_key(from) || !self.open.contains_key(to) {
                    return Err(BADF);
                }
                let moved = self.open.remove(from).unwrap();
                self.open.insert(*to, moved);
                NOTHING
            }
            Step::Write(fd, text) => {
                let (open, content) = self.file(*fd)?;
                let at = if open.append { content.len() as i64 } else { open.position };
                put(content, at, text);
                open.position = at + text.len() as i64;
                Ok((text.len() as i64).into())
            }
            Step::Pwrite(fd, text, at) => {
                let (open, content) = self.file(*fd)?;
                let at = if open.append { content.len() as i64 } else { *at };
                if at < 0 {
                    return Err(INVAL);
                }
                put(content, at, text);
                NOTHING
            }
            Step::Read(fd, length) => {
                let (open, content) = self.file(*fd)?;
                let text = part(content, open.position, *length);
                open.position += text.len() as i64;
                Ok(text.into())
            }
            Step::Pread(fd, length, at) => {
                let (_, content) = self.file(*fd)?;
                if *at < 0 { Err(INVAL) } else { Ok(part(content, *at, *length).into()) }
            }
            Step::Seek(fd, offset, whence) => {
                if *whence > 2 {
                    return Err(INVAL);
                }
                let (open, content) = self.file(*fd)?;
                let position = [0, open.position, content.len() as i64][*whence as usize] + offset;
                if position < 0 {
                    return Err(INVAL);
                }
                open.position = position;
                Ok(position.into())
            }
            Step::Resize(fd, size) => {
                let (_, content) = self.file(*fd)?;
                content.resize(usize::try_from(*size).map_err(|_| INVAL)?, 0);
                NOTHING
            }
            Step::List(fd) => {
                let open = self.open.get(fd).ok_or(BADF)?;
                let Node::Directory(entries) = &self.nodes[open.node] else { return Err(NOTDIR) };
                // A directory that was removed has not even these two.
                let names =
                    entries.iter().flat_map(|entries| [".", ".."].into_iter().chain(entries.keys().map(|n| &**n)));
                Ok(Value::List(names.map(Value::from).collect()))
            }
            Step::Stat(path) => {
                let (.., node) = self.existing(path)?;
                Ok(Value::List(match &self.nodes[node] {
                    Node::File(content) => vec![4.into(), (content.len() as i64).into(), self.links(node).into()],
                    Node::Directory(_) => vec![3.into(), 0.into(), 0.into()],
                }))
            }
            Step::Mkdir(path) => match self.find(path)? {
                (.., Some(_)) => Err(EXIST),
                (directory, name, None) => {
                    self.make(directory, name, Node::Directory(Some(BTreeMap::new())));
                    NOTHING
                }
            },
            Step::Rmdir(path) => {
                let (directory, name, node) = self.existing(path)?;
                if !self.entries(node)?.is_empty() {
                    return Err(NOTEMPTY);
                }
                self.nodes[node] = Node::Directory(None);
                self.entries_mut(directory).remove(&name);
                NOTHING
            }
            Step::Unlink(path) => {
                let (directory, name, node) = self.existing(path)?;
                if self.is_directory(node) {
                    return Err(ISDIR);
                }
                self.entries_mut(directory).remove(&name);
                NOTHING
            }
            Step::Rename(from, to) => self.rename(from, to),
            Step::Link(from, to) => {
                let from = self.find(from)?;
                let to = self.find(to)?;
                let node = from.2.ok_or(NOENT)?;
                match to {
                    (.., Some(_)) => Err(EXIST),
                    _ if self.is_directory(node) => Err(PERM),
                    (directory, name, None) => {
                        self.entries_mut(directory).insert(name, node);
                        NOTHING
                    }
                }
            }
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> Outcome {
        let (from, to) = (self.find(from)?, self.find(to)?);
        let (from_directory, from_name, node) = (from.0, from.1, from.2.ok_or(NOENT)?);
        let (to_directory, to_name, there) = to;
        if there == Some(node) {
            return NOTHING;
        }
        let moves_directory = self.is_directory(node);
        if moves_directory && self.is_within(to_directory, node) {
            return Err(INVAL);
        }
        match there {
            Some(there) if moves_directory && !self.entries(there)?.is_empty() => return Err(NOTEMPTY),
            Some(there) if !moves_directory && self.is_directory(there) => return Err(ISDIR),
            Some(there) if moves_directory => self.nodes[there] = Node::Directory(None),
            _ => {}
        }
        self.entries_mut(from_directory).remove(&from_name);
        self.entries_mut(to_directory).insert(to_name, node);
        NOTHING
    }

    fn links(&self, node: usize) -> i64 {
        let count =
            |index: usize| self.entries(index).map_or(0, |e| e.values().filter(|entry| **entry == node).count());
        (0..self.nodes.len()).map(count).sum::<usize>() as i64
    }

    /// Returns all files with their content.
    fn contents(&self) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        let mut pending = vec![(String::from("/"), 0)];
        while let Some((path, directory)) = pending.pop() {
            for (name, node) in self.entries(directory).unwrap() {
                match &self.nodes[*node] {
                    Node::File(content) => drop(found.insert(format!("{path}{name}"), Value::Bytes(content.clone()))),
                    Node::Directory(_) => pending.push((format!("{path}{name}/"), *node)),
                }
            }
        }
        found
    }
}

fn put(content: &mut Vec<u8>, at: i64, text: &str) {
    let end = at as usize + text.len();
    content.resize(content.len().max(end), 0);
    content[at as usize..end].copy_from_slice(text.as_bytes());
}

fn part(content: &[u8], at: i64, length: i64) -> String {
    let from = content.len().min(at as usize);
    let to = content.len().min(from + length as usize);
    String::from_utf8(content[from..to].to_vec()).unwrap()
}

#[test]
fn files_are_as_a_simple_model_has_them() {
    let limits = Limits::new().ticks(1 << 40).fuel(1 << 40).heap(8 << 30).memory(8 << 30).files(8 << 30);
    let mut sandbox = Sandbox::new().limits(limits);
    sandbox.file("lib.star", include_str!("lib.star"));
    let session = RefCell::new(sandbox.load("main.star", SCRIPT).unwrap());
    // Each run has the same cases, so that a failure is due to the change at hand.
    let cases = std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150);
    let config = Config { cases, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&vec(step(), 1..60), |steps| {
        let mut session = session.borrow_mut();
        session.call_values("new", &[]).unwrap();
        let mut model = Model::new();
        for step in &steps {
            let (name, arguments) = step.call();
            let found = session.call_values("call", &[name.into(), Value::List(arguments)]).unwrap();
            let (errno, value) = match model.apply(step) {
                Ok(value) => (0, value),
                Err(errno) => (errno, Value::None),
            };
            prop_assert_eq!(found, Value::List(vec![errno.into(), value]), "{:?}", step);
        }
        let Value::Dict(found) = session.call_values("contents", &[]).unwrap() else { panic!("no dict") };
        let found: BTreeMap<String, Value> =
            found.into_iter().map(|(path, content)| (path.as_str().unwrap().to_owned(), content)).collect();
        prop_assert_eq!(found, model.contents());
        Ok(())
    });
    result.unwrap();
}
