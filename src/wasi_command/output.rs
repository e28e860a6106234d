//! What came of a command module's run.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::budget::Budget;
use crate::error::Error;
use crate::profile::Profile;
use crate::session::Stats;
use crate::wasi::{Content, MachineParts, System};

/// The outcome of a [`WasiCommand`](crate::WasiCommand).
#[derive(Debug)]
#[non_exhaustive]
pub struct WasiOutput {
    /// The exit code, which is 0 if the guest just returns; or the error that ended it.
    pub result: Result<i32, Error>,
    /// What the guest wrote to standard output; empty if [`WasiCommand::stdout`](crate::WasiCommand::stdout) passed it on.
    pub stdout: Vec<u8>,
    /// What the guest wrote to standard error; empty if [`WasiCommand::stderr`](crate::WasiCommand::stderr) passed it on.
    pub stderr: Vec<u8>,
    /// All files by their paths from the root, even if the guest failed, except for those in `untouched`. A path that ends in
    /// a slash is an empty directory.
    pub files: BTreeMap<String, Arc<[u8]>>,
    /// The files from [`WasiCommand::file_from`](crate::WasiCommand::file_from) that the guest did not change: the paths under which they were given, by
    /// their paths now. The two differ if the guest has renamed or linked a file.
    pub untouched: BTreeMap<String, String>,
    /// The targets of all symbolic links, by the links' paths.
    pub links: BTreeMap<String, String>,
    /// The paths under which files were given, by their paths in `files`, if these differ: the guest has renamed or linked
    /// these files.
    pub origins: BTreeMap<String, String>,
    /// What the fuel was spent on, if [`WasiCommand::profile`](crate::WasiCommand::profile) asks for it.
    pub profile: Option<Profile>,
    /// What the guest spent. The ticks are 0.
    pub stats: Stats,
}

impl WasiOutput {
    /// Makes the outcome of a command that did not run.
    pub(super) fn failed(error: Error) -> Self {
        let (stdout, stderr, files, untouched, links, origins) = Default::default();
        let stats = Stats::default();
        Self { result: Err(error), stdout, stderr, files, untouched, links, origins, profile: None, stats }
    }

    /// Collects what a machine holds after a run.
    pub(super) fn of(machine: &MachineParts, budget: &Budget, result: Result<i32, Error>) -> Self {
        let MachineParts { system, streams } = machine;
        let (result, files) = match system.files() {
            Ok(files) => (result, files),
            Err(error) => (result.and(Err(error)), Vec::new()),
        };
        let links =
            files.iter().filter_map(|(path, ino)| Some((path.clone(), system.fs.link(*ino)?.to_owned()))).collect();
        let origin = |path: &String, ino: &u64| system.origins.get(ino).filter(|origin| *origin != path).cloned();
        let is_given = |ino| matches!(system.fs.file(ino), Ok(Content::Given(_)));
        let (given, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|(_, ino)| is_given(*ino));
        let given_as = |ino: u64| system.origins.get(&ino).cloned().unwrap_or_default();
        let untouched = given.into_iter().map(|(path, ino)| (path, given_as(ino))).collect();
        let origins = files.iter().filter_map(|(path, ino)| Some((path.clone(), origin(path, ino)?))).collect();
        Self {
            result,
            links,
            untouched,
            origins,
            stdout: streams.stdout.kept().to_owned(),
            stderr: streams.stderr.kept().to_owned(),
            files: contents(system, files),
            profile: budget.profile().map(|profile| profile.finished(budget.fuel_used())),
            stats: Stats { fuel: budget.fuel_used(), ticks: 0, memory_peak: budget.memory_peak(), cost: None },
        }
    }
}

/// Returns the contents of the files. If a file has several names, they share its bytes.
fn contents(system: &System, files: Vec<(String, u64)>) -> BTreeMap<String, Arc<[u8]>> {
    let mut known: BTreeMap<u64, Arc<[u8]>> = BTreeMap::new();
    let mut content = |ino| {
        let read = || Arc::from(system.fs.bytes(ino).unwrap_or_default());
        Arc::clone(known.entry(ino).or_insert_with(read))
    };
    let files = files.into_iter().filter(|(_, ino)| system.fs.link(*ino).is_none());
    files.map(|(path, ino)| (path, content(ino))).collect()
}
