//! The objects that handles stand for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use wasmlark::{Interrupt, Sandbox};

use crate::misuse::{Misuse, Status, status};
use crate::run::Run;
use crate::session::Session;
use crate::value::Held;

/// A sandbox, run, session, interrupt, value or error. 0 stands for none.
pub type Handle = u32;

#[derive(Clone)]
pub(crate) enum Object {
    Sandbox(Arc<RwLock<Sandbox>>),
    Run(Arc<Run>),
    Session(Arc<Session>),
    Interrupt(Interrupt),
    Value(Arc<Held>),
    Error(Arc<str>),
}

impl Object {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Sandbox(_) => "a sandbox",
            Self::Run(_) => "a run",
            Self::Session(_) => "a session",
            Self::Interrupt(_) => "an interrupt",
            Self::Value(_) => "a value",
            Self::Error(_) => "an error",
        }
    }
}

#[derive(Default)]
struct Objects {
    alive: BTreeMap<Handle, Object>,
    /// The last handle given out. None is reused, so that a freed object is never mistaken for another.
    last: Handle,
}

static OBJECTS: Mutex<Objects> = Mutex::new(Objects { alive: BTreeMap::new(), last: 0 });

fn objects() -> MutexGuard<'static, Objects> {
    // Each change is one insertion or removal, so a panic leaves nothing half done.
    OBJECTS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub(crate) fn add(object: Object) -> Result<Handle, Misuse> {
    let mut objects = objects();
    let next = objects.last.checked_add(1);
    let next = next.ok_or_else(|| Misuse::new(Status::Resources, "all 4294967295 object numbers have been used"))?;
    objects.last = next;
    objects.alive.insert(next, object);
    Ok(next)
}

pub(crate) fn sandbox(handle: Handle) -> Result<Arc<RwLock<Sandbox>>, Misuse> {
    match find(handle)? {
        Object::Sandbox(sandbox) => Ok(sandbox),
        other => Err(wrong(handle, &other, "a sandbox")),
    }
}

pub(crate) fn run(handle: Handle) -> Result<Arc<Run>, Misuse> {
    match find(handle)? {
        Object::Run(run) => Ok(run),
        other => Err(wrong(handle, &other, "a run")),
    }
}

pub(crate) fn session(handle: Handle) -> Result<Arc<Session>, Misuse> {
    match find(handle)? {
        Object::Session(session) => Ok(session),
        other => Err(wrong(handle, &other, "a session")),
    }
}

pub(crate) fn interrupt(handle: Handle) -> Result<Interrupt, Misuse> {
    match find(handle)? {
        Object::Interrupt(interrupt) => Ok(interrupt),
        other => Err(wrong(handle, &other, "an interrupt")),
    }
}

pub(crate) fn value(handle: Handle) -> Result<Arc<Held>, Misuse> {
    match find(handle)? {
        Object::Value(value) => Ok(value),
        other => Err(wrong(handle, &other, "a value")),
    }
}

/// Frees an object and returns it.
pub(crate) fn take(handle: Handle) -> Result<Object, Misuse> {
    let mut objects = objects();
    let last = objects.last;
    objects.alive.remove(&handle).ok_or_else(|| missing(handle, last))
}

/// Frees an object that may have been freed already.
pub(crate) fn forget(handle: Handle) {
    let freed = objects().alive.remove(&handle);
    drop(freed); // After the lock is released: this may take a while.
}

fn find(handle: Handle) -> Result<Object, Misuse> {
    let objects = objects();
    objects.alive.get(&handle).cloned().ok_or_else(|| missing(handle, objects.last))
}

fn missing(handle: Handle, last: Handle) -> Misuse {
    let why = match handle {
        0 => "0 is not an object: the call that should have made it failed".to_owned(),
        _ if handle <= last => format!("object {handle} was freed"),
        _ => format!("object {handle} was never made"),
    };
    Misuse::new(Status::Handle, why)
}

fn wrong(handle: Handle, object: &Object, wanted: &str) -> Misuse {
    Misuse::new(Status::Handle, format!("object {handle} is {}, not {wanted}", object.kind()))
}

/// Frees an object of any kind. Scripts that are running in a sandbox or session continue to their end; sessions, runs and
/// interrupts outlive the sandbox that they came from. Freeing 0 does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn wasmlark_free(object: Handle) -> Status {
    status(|| {
        let mut objects = objects();
        let freed = objects.alive.remove(&object);
        let last = objects.last;
        drop(objects); // Freeing the object may take a while, or panic.
        match freed {
            None if object != 0 => Err(missing(object, last)),
            _ => Ok(()),
        }
    })
}
