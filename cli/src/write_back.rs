//! `--write-back`: what the guest changed, onto the host.
//!
//! What the guest never saw is never touched. Every path is checked before the first byte is written, new content is
//! written beside its place and then renamed, what it replaces is moved aside until then, and what is gone is deleted
//! last. So wherever a run fails, each path of the host is as it was or as the guest left it.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use wasmlark::WasiOutput;

use crate::folder::Folder;
use crate::host_file::HostFile;
use crate::terminal;

/// The files of the guest by their paths, before it ran; `None` for an empty folder.
pub type Before = BTreeMap<String, Option<Arc<HostFile>>>;

/// Writes what changed below `folder`. Returns what could not be written and was left out, a line each.
///
/// # Errors
///
/// If a path cannot be written, before anything is; or if the host refuses an operation.
pub fn write_back(folder: &Folder, before: &Before, after: &WasiOutput) -> Result<Vec<String>, String> {
    Changes::of(folder, before, after)?.write(&Operations::default())
}

/// Counts what is done to the host, so that a test can let each operation fail in turn.
#[derive(Default)]
struct Operations {
    done: Cell<usize>,
    failing: Option<usize>,
}

impl Operations {
    fn next(&self) -> io::Result<()> {
        let number = self.done.replace(self.done.get().saturating_add(1));
        if self.failing == Some(number) { Err(io::Error::other("this operation is to fail")) } else { Ok(()) }
    }
}

/// Where something is for now, and where it belongs.
type Moved = Vec<(PathBuf, PathBuf)>;

/// What to do on the host, all of it checked.
#[derive(Default)]
pub struct Changes {
    /// The host's folder.
    root: PathBuf,
    /// Files that must go before a folder or a link can take their place; folders, before a file can.
    replaced_files: Vec<PathBuf>,
    replaced_folders: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    files: Vec<NewFile>,
    /// Places of links, and their targets.
    links: Vec<(PathBuf, String)>,
    gone_files: Vec<PathBuf>,
    /// Innermost first.
    gone_folders: Vec<PathBuf>,
    left_out: Vec<String>,
    /// Whether new files are taken away again if an operation fails later.
    is_all_or_none: bool,
}

struct NewFile {
    host: PathBuf,
    content: Content,
    /// A file of the host whose permissions it gets.
    like: Option<PathBuf>,
}

enum Content {
    Bytes(Arc<[u8]>),
    /// That of a file which the guest moved, or gave another name.
    Of(Arc<HostFile>),
}

impl Content {
    fn write(&self, to: &mut File) -> io::Result<()> {
        match self {
            Self::Bytes(bytes) => to.write_all(bytes),
            Self::Of(file) => file.copy(to),
        }
    }
}

impl Changes {
    /// Returns no changes yet, to a folder: all of them will be done, or none.
    pub fn below(folder: &Path) -> Self {
        Self { root: folder.to_owned(), is_all_or_none: true, ..Self::default() }
    }

    /// Adds a file, in place of one that may be there, whose permissions it gets. No other thing may be there.
    pub fn add_file(&mut self, host: PathBuf, content: Vec<u8>) {
        let like = host.exists().then(|| host.clone());
        self.replaced_files.extend(like.clone());
        if let Some(parent) = host.parent().filter(|parent| *parent != self.root) {
            self.folders.push(parent.to_owned());
        }
        self.files.push(NewFile { host, content: Content::Bytes(content.into()), like });
    }

    /// Does all of it.
    pub fn write_all(self) -> Result<(), String> {
        self.write(&Operations::default()).map(|_| ())
    }

    fn write(self, operations: &Operations) -> Result<Vec<String>, String> {
        let (mut staged, mut aside) = (Moved::new(), Moved::new());
        let mut done = self.stage(&mut staged, operations);
        if done.is_ok() {
            let new: Vec<PathBuf> = staged.iter().map(|(_, host)| host.clone()).collect();
            done = self.commit(&mut staged, &mut aside, operations);
            if done.is_err() && self.is_all_or_none {
                // The last are put in place first.
                new.iter().skip(staged.len()).for_each(|host| drop(fs::remove_file(host)));
            }
        }
        terminal::clear_progress();
        for (temporary, _) in staged {
            let _ = fs::remove_file(temporary);
        }
        for (temporary, host) in aside.iter().rev() {
            // Where the new is in place, or nothing failed, the old one goes; else it comes back.
            let _ = match fs::symlink_metadata(host) {
                Err(_) if done.is_err() => fs::rename(temporary, host),
                _ if fs::symlink_metadata(temporary).is_ok_and(|old| old.is_dir()) => fs::remove_dir_all(temporary),
                _ => fs::remove_file(temporary),
            };
        }
        done.map(|()| self.left_out)
    }

    fn of(folder: &Folder, before: &Before, after: &WasiOutput) -> Result<Self, String> {
        let mine = |path: &str| path.starts_with(&folder.guest);
        let names = after.files.keys().chain(after.links.keys()).chain(after.untouched.keys()).map(String::as_str);
        let (old_folders, new_folders) = (folders(before.keys().map(String::as_str)), folders(names));
        let known = |path: &str| before.contains_key(path) || old_folders.contains(&format!("{path}/"));
        let place = |path: &str| host_path(folder, path, &known);
        let mut changes = Self { root: folder.host.clone(), ..Self::default() };
        for path in new_folders.iter().filter(|path| mine(path) && path.len() > folder.guest.len()) {
            changes.folders.push(place(path)?);
        }
        for (path, content) in after.files.iter().filter(|(path, _)| mine(path) && !path.ends_with('/')) {
            // What was written anew as it was is left alone.
            if !before.get(path).is_some_and(|file| file.as_ref().is_some_and(|file| file.holds(content))) {
                let host = place(path)?;
                let origin = after.origins.get(path).filter(|origin| mine(origin)).map(|origin| place(origin));
                let like = match origin.transpose()? {
                    Some(origin) => Some(origin),
                    None => before.contains_key(path).then(|| host.clone()),
                };
                changes.files.push(NewFile { host, content: Content::Bytes(content.clone()), like });
            }
        }
        for (path, origin) in after.untouched.iter().filter(|(path, origin)| mine(path) && path != origin) {
            if let Some(Some(file)) = before.get(origin) {
                let like = Some(file.path().to_owned());
                changes.files.push(NewFile { host: place(path)?, content: Content::Of(file.clone()), like });
            }
        }
        for (path, target) in after.links.iter().filter(|(path, _)| mine(path)) {
            changes.add_link(folder, path, target, &new_folders, &known)?;
        }
        let there = |path: &str| after.files.contains_key(path) || after.untouched.contains_key(path);
        for path in before.keys().filter(|path| mine(path) && !path.ends_with('/') && !there(path)) {
            let replaced = new_folders.contains(&format!("{path}/")) || after.links.contains_key(path);
            let list = if replaced { &mut changes.replaced_files } else { &mut changes.gone_files };
            list.push(place(path)?);
        }
        for path in old_folders.iter().rev().filter(|path| mine(path) && path.len() > folder.guest.len()) {
            if !new_folders.contains(path) {
                let name = path.trim_end_matches('/');
                let replaced = there(name) || after.links.contains_key(name);
                let list = if replaced { &mut changes.replaced_folders } else { &mut changes.gone_folders };
                list.push(place(path)?);
            }
        }
        // What a replaced folder holds goes with it.
        let inside = |path: &PathBuf| changes.replaced_folders.iter().any(|folder| path.starts_with(folder));
        let (mut files, kept): (Vec<_>, Vec<_>) = changes.gone_files.iter().cloned().partition(inside);
        let (folders, kept_folders): (Vec<_>, Vec<_>) = changes.gone_folders.iter().cloned().partition(inside);
        for folder in changes.replaced_folders.iter().chain(&folders) {
            let entries = fs::read_dir(folder).map_err(|e| failed(folder, &e))?;
            for entry in entries {
                let path = entry.map_err(|e| failed(folder, &e))?.path();
                if !files.contains(&path) && !folders.contains(&path) && !changes.replaced_folders.contains(&path) {
                    return Err(format!(
                        "nothing is written back: {} would be replaced, and {} in it was left out",
                        folder.display(),
                        path.display()
                    ));
                }
            }
        }
        changes.replaced_files.append(&mut files);
        changes.replaced_folders.extend(folders);
        changes.replaced_folders.sort_by(|a, b| b.cmp(a));
        (changes.gone_files, changes.gone_folders) = (kept, kept_folders);
        Ok(changes)
    }

    fn add_link(
        &mut self,
        folder: &Folder,
        path: &str,
        target: &str,
        folders: &BTreeSet<String>,
        known: &dyn Fn(&str) -> bool,
    ) -> Result<(), String> {
        let direct = folder.host.join(path.get(folder.guest.len()..).unwrap_or_default());
        if fs::read_link(&direct).is_ok_and(|there| there == Path::new(target)) {
            return Ok(());
        }
        let host = host_path(folder, path, known)?;
        if !cfg!(unix) {
            self.left_out.push(format!("{path} is a symbolic link, which is not written back on this system"));
        } else if stays_inside(folder, path, target, folders, known) {
            self.links.push((host, target.to_owned()));
        } else {
            self.left_out.push(format!("{path} is a symbolic link to {target:?}, which may lead out of the folder"));
        }
        Ok(())
    }

    /// Writes new content beside the places where it belongs.
    fn stage(&self, staged: &mut Moved, operations: &Operations) -> Result<(), String> {
        for (index, file) in self.files.iter().enumerate() {
            // Files that a person does not wait for are not told.
            if index > 0 && index % 256 == 0 {
                terminal::show_progress(&format!("writing {index} of {} files …", self.files.len()));
            }
            // The innermost folder that is there already, and stays.
            let folder = file.host.ancestors().skip(1).find(|path| {
                let replaced = self.replaced_folders.iter().any(|gone| path.starts_with(gone));
                !replaced && fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
            });
            let folder = folder.unwrap_or(&self.root);
            let temporary = folder.join(format!(".wasmlark-{}-{index}", std::process::id()));
            let create = || OpenOptions::new().write(true).create_new(true).open(&temporary);
            let mut new = operations.next().and_then(|()| create()).map_err(|e| failed(&file.host, &e))?;
            staged.push((temporary.clone(), file.host.clone()));
            operations.next().and_then(|()| file.content.write(&mut new)).map_err(|e| failed(&file.host, &e))?;
            if let Some(like) = &file.like {
                let permissions = fs::metadata(like).map_err(|e| failed(like, &e))?.permissions();
                new.set_permissions(permissions).map_err(|e| failed(&file.host, &e))?;
            }
        }
        Ok(())
    }

    /// What something else takes the place of: whole folders, and files that are in none of them.
    fn replaced(&self) -> impl Iterator<Item = &PathBuf> {
        let inside =
            |path: &PathBuf| self.replaced_folders.iter().any(|folder| folder != path && path.starts_with(folder));
        self.replaced_files.iter().chain(&self.replaced_folders).filter(move |path| !inside(path))
    }

    fn commit(&self, staged: &mut Moved, aside: &mut Moved, operations: &Operations) -> Result<(), String> {
        let each = |paths: &[PathBuf], act: fn(&PathBuf) -> io::Result<()>| {
            let act = |path| operations.next().and_then(|()| act(path)).map_err(|e| failed(path, &e));
            paths.iter().try_for_each(act)
        };
        for (index, path) in self.replaced().enumerate() {
            let temporary = path.with_file_name(format!(".wasmlark-{}-old-{index}", std::process::id()));
            operations.next().and_then(|()| fs::rename(path, &temporary)).map_err(|e| failed(path, &e))?;
            aside.push((temporary, path.clone()));
        }
        each(&self.folders, |path| fs::create_dir_all(path))?;
        while let Some((temporary, host)) = staged.last() {
            operations.next().and_then(|()| fs::rename(temporary, host)).map_err(|e| failed(host, &e))?;
            staged.pop();
        }
        for (host, target) in &self.links {
            operations.next().and_then(|()| link(target, host)).map_err(|e| failed(host, &e))?;
        }
        each(&self.gone_files, |path| fs::remove_file(path))?;
        for folder in &self.gone_folders {
            // Not empty where something in it was left out.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

#[cfg(unix)]
fn link(target: &str, host: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, host)
}

#[cfg(not(unix))]
fn link(_target: &str, _host: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn failed(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

/// Tells whether the host takes a part of a path as one name.
pub fn is_plain_name(part: &str) -> bool {
    let mut components = Path::new(part).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(name)), None) if name == part)
}

/// The place of a guest's path in the folder.
///
/// # Errors
///
/// If a name means something else to the host, or if something that the guest never saw is there or on
/// the way: a link, a device, a pipe, a file that came later.
fn host_path(folder: &Folder, path: &str, known: &dyn Fn(&str) -> bool) -> Result<PathBuf, String> {
    let mut host = folder.host.clone();
    let mut guest = folder.guest.trim_end_matches('/').to_owned();
    let below = path.get(folder.guest.len()..).unwrap_or_default();
    for part in below.split('/').filter(|part| !part.is_empty()) {
        if !is_plain_name(part) {
            return Err(format!("nothing is written back: the host does not allow the name {path}"));
        }
        host.push(part);
        guest = format!("{guest}/{part}");
        let Some(metadata) = look(&host, path)? else { continue };
        let plain = metadata.is_file() || metadata.is_dir();
        if !plain || !known(&guest) {
            let what = if metadata.is_symlink() { "a link that" } else { "something that" };
            return Err(format!(
                "nothing is written back: the guest wrote {path}, and {} is {what} it did not see",
                host.display()
            ));
        }
    }
    Ok(host)
}

/// What the host has at a place, if anything.
///
/// # Errors
///
/// If nothing can be there: the path is too long for the host, or in a folder that it does not open.
fn look(host: &Path, path: &str) -> Result<Option<fs::Metadata>, String> {
    match fs::symlink_metadata(host) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => {
            let begin: String = path.chars().take(80).collect();
            let more = if begin == path { String::new() } else { format!("… ({} bytes)", path.len()) };
            Err(format!("nothing is written back: the guest wrote {begin}{more}: {error}"))
        }
    }
}

/// Whether a link at `path` leads to a place in the folder, whatever else is written.
fn stays_inside(
    folder: &Folder,
    path: &str,
    target: &str,
    folders: &BTreeSet<String>,
    known: &dyn Fn(&str) -> bool,
) -> bool {
    let Some((parent, _)) = path.rsplit_once('/') else { return false };
    let mut at = format!("{parent}/");
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part != ".." {
            at = format!("{at}{part}/");
            continue;
        }
        // `..` behind a link would leave the folder that the link leads to.
        if at.len() <= folder.guest.len() || !folders.contains(&at) {
            return false;
        }
        at.truncate(at.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1));
    }
    !target.starts_with('/') && at.starts_with(&folder.guest) && host_path(folder, &at, known).is_ok()
}

/// All folders that the paths lie in, with a slash at the end, outer ones first.
fn folders<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    paths.flat_map(|path| path.match_indices('/').filter_map(|(at, _)| path.get(..=at))).map(str::to_owned).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use wasmlark::WasiCommand;

    use super::*;

    const OLD: [(&str, &str); 6] = [
        ("a", "old a"),
        ("b/x", "old x"),
        ("b/deep/y", "old y"),
        ("c", "old c"),
        ("gone", "old gone"),
        ("kept", "kept"),
    ];
    const NEW: [(&str, &str); 5] =
        [("a/x", "new x"), ("a/deep/y", "new y"), ("b", "new b"), ("c", "new c"), ("kept", "kept")];

    /// What a guest leaves behind that changes nothing: the files that it was given.
    fn left_behind(files: &[(&str, &str)]) -> WasiOutput {
        let module = wat::parse_str(r#"(module (func (export "_start")))"#).unwrap();
        let command =
            files.iter().fold(WasiCommand::new(), |command, (path, text)| command.file(format!("/{path}"), *text));
        command.run(&module)
    }

    fn read(folder: &Path, path: &str) -> Option<String> {
        fs::read_to_string(folder.join(path)).ok()
    }

    #[test]
    fn wherever_it_fails_all_new_files_are_there_or_none() {
        let root = std::env::temp_dir().join(format!("wasmlark-out-{}", std::process::id()));
        for failing in 0.. {
            let _ = fs::remove_dir_all(&root);
            fs::create_dir_all(root.join("sub")).unwrap();
            fs::write(root.join("a"), "old").unwrap();
            let mut changes = Changes::below(&root);
            for name in ["a", "sub/b", "new/c"] {
                changes.add_file(root.join(name), b"new".to_vec());
            }
            let operations = Operations { failing: Some(failing), ..Operations::default() };
            let done = changes.write(&operations).is_ok();
            let new = Some("new".to_owned());
            let expected = if done { [new.clone(), new.clone(), new] } else { [Some("old".to_owned()), None, None] };
            assert_eq!(["a", "sub/b", "new/c"].map(|name| read(&root, name)), expected, "operation {failing}");
            let left = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            assert!(!left.into_iter().any(|name| name.starts_with(".wasmlark")), "operation {failing}");
            if done {
                assert!(failing > 9, "only {failing} operations: does each of them count?");
                break;
            }
        }
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn wherever_it_fails_each_path_is_as_it_was_or_as_it_should_be() {
        let root = std::env::temp_dir().join(format!("wasmlark-write-back-{}", std::process::id()));
        let after = left_behind(&NEW);
        for failing in 0.. {
            let _ = fs::remove_dir_all(&root);
            for (path, text) in OLD {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            let folder = Folder { host: root.clone(), guest: "/".to_owned(), preopens: Vec::new() };
            let mut before = Before::new();
            folder.list(&mut before).unwrap();
            let operations = Operations { failing: Some(failing), ..Operations::default() };
            let done = Changes::of(&folder, &before, &after).unwrap().write(&operations);
            let state = |path: &str| read(&root, path);
            let one_of = |path: &str, states: [Option<&str>; 2]| {
                let state = state(path);
                assert!(states.contains(&state.as_deref()), "operation {failing}: {path} is {state:?}");
            };
            // A file is there, or the folder that takes its place, and the other way round.
            assert!(
                state("a").as_deref() == Some("old a") || root.join("a").is_dir(),
                "operation {failing}: a is lost"
            );
            one_of("a/x", [None, Some("new x")]);
            one_of("a/deep/y", [None, Some("new y")]);
            if root.join("b").is_dir() {
                let old = (state("b/x"), state("b/deep/y"));
                assert_eq!(old, (Some("old x".to_owned()), Some("old y".to_owned())), "operation {failing}");
            } else {
                one_of("b", [Some("new b"), Some("new b")]);
            }
            one_of("c", [Some("old c"), Some("new c")]);
            one_of("gone", [Some("old gone"), None]);
            one_of("kept", [Some("kept"), Some("kept")]);
            let hidden = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let left: Vec<String> = hidden.filter(|name| name.starts_with(".wasmlark")).collect();
            assert!(left.is_empty(), "operation {failing} leaves {left:?}");
            if done.is_ok() {
                let new: Vec<_> = NEW.iter().map(|(path, text)| (*path, Some((*text).to_owned()))).collect();
                assert_eq!(NEW.map(|(path, _)| (path, state(path))).to_vec(), new);
                assert!(failing > 10, "only {failing} operations: does each of them count?");
                break;
            }
        }
        fs::remove_dir_all(root).unwrap();
    }
}
