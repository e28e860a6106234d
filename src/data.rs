//! What a script reads and writes, apart from the files that it finds by name: standard input, output and error, and the
//! files that it writes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::{Error, ErrorKind, Limit};
use crate::limits::Limits;
use crate::progress::Progress;
use crate::wording::shown;

/// Takes what a script writes.
pub(crate) type Sink = dyn Fn(&[u8]) + Send + Sync;

/// Reads all of standard input.
pub(crate) type Stdin = dyn Fn() -> Result<Vec<u8>, String> + Send + Sync;

/// What a written file counts in addition to its name and content, like a file of a WASI machine.
const FILE_OVERHEAD: u64 = 400;

/// What an application grants to its scripts.
#[derive(Clone, Default)]
pub(crate) struct Channels {
    pub(crate) stdin: Option<Arc<Stdin>>,
    /// Without a sink, output is kept.
    pub(crate) output: Option<Arc<Sink>>,
    pub(crate) error_output: Option<Arc<Sink>>,
    /// Whether a script may write files.
    pub(crate) is_writable: bool,
    /// Is told what the run has spent, while it runs.
    pub(crate) progress: Progress,
}

/// Where a script writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    ErrorOutput,
}

/// The data of one run, shared between the run and the script types.
#[derive(Clone)]
pub(crate) struct Data(Arc<Inner>);

struct Inner {
    channels: Channels,
    output_limit: u64,
    files_limit: u64,
    state: Mutex<State>,
}

#[derive(Clone, Default)]
struct State {
    stdin_was_read: bool,
    /// The bytes that were written to both streams, kept or not.
    written: u64,
    output: Vec<u8>,
    error_output: Vec<u8>,
    files: BTreeMap<String, Vec<u8>>,
    /// What `files` and standard input count against the limit `files`.
    held: u64,
}

/// What a script wrote to standard output.
pub(crate) struct Output {
    /// The text, in which bytes that are not UTF-8 are replaced.
    pub(crate) text: String,
    /// All bytes, if some of them are not UTF-8.
    pub(crate) bytes: Option<Vec<u8>>,
}

impl Data {
    pub(crate) fn new(channels: Channels, limits: &Limits) -> Self {
        Self::with_state(channels, limits.output as u64, limits.files, State::default())
    }

    /// What a run in an isolated evaluator reads and writes: the limits are held there.
    #[cfg(feature = "isolated")]
    pub(crate) fn unlimited(channels: Channels) -> Self {
        Self::with_state(channels, u64::MAX, u64::MAX, State::default())
    }

    /// Returns separate data that begin as these are now.
    pub(crate) fn fork(&self) -> Self {
        let Inner { channels, output_limit, files_limit, .. } = &*self.0;
        Self::with_state(channels.clone(), *output_limit, *files_limit, self.state().clone())
    }

    fn with_state(channels: Channels, output_limit: u64, files_limit: u64, state: State) -> Self {
        Self(Arc::new(Inner { channels, output_limit, files_limit, state: Mutex::new(state) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A poisoned state is not half changed: nothing that may panic is done under the lock.
        self.0.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Passes bytes on, or keeps them. `verb` is the message's word for how the script writes.
    pub(crate) fn write(&self, stream: Stream, parts: &[&[u8]], verb: &str) -> Result<(), Error> {
        let Inner { channels, output_limit, .. } = &*self.0;
        let mut state = self.state();
        let length = parts.iter().map(|part| part.len() as u64).fold(0, u64::saturating_add);
        let written = state.written.saturating_add(length);
        if written > *output_limit {
            return Err(Error::limit(
                Limit::Output,
                format!("the script {verb} more than the sandbox allows: limit `output` is {output_limit} bytes"),
            ));
        }
        state.written = written;
        let (sink, kept) = match stream {
            Stream::Output => (&channels.output, &mut state.output),
            Stream::ErrorOutput => (&channels.error_output, &mut state.error_output),
        };
        let Some(sink) = sink else {
            parts.iter().for_each(|part| kept.extend_from_slice(part));
            return Ok(());
        };
        drop(state);
        match parts {
            [only] => sink(only),
            parts => sink(&parts.concat()),
        }
        Ok(())
    }

    /// Reads all of standard input.
    ///
    /// # Errors
    ///
    /// If there is none, if it was read before, if it cannot be read, or if the limit `files` leaves no room for it.
    pub(crate) fn read_stdin(&self) -> Result<Vec<u8>, Error> {
        let refuse = |why: String| Err(Error::load(format!("stdin: {why}")));
        let Some(stdin) = &self.0.channels.stdin else {
            return refuse(
                "this script has no standard input; an application gives it with `Sandbox::stdin`, and `wasmlark run` \
                 passes on what it gets itself"
                    .to_owned(),
            );
        };
        if std::mem::replace(&mut self.state().stdin_was_read, true) {
            return refuse("standard input was read before; keep what the first call returns".to_owned());
        }
        match stdin() {
            Ok(bytes) => {
                self.hold(bytes.len() as u64, 0, "standard input")?;
                Ok(bytes)
            }
            Err(why) => refuse(why),
        }
    }

    /// Keeps a file that the script writes. It replaces one of the same name.
    ///
    /// # Errors
    ///
    /// If the script may not write files, if a folder in the name is a file, if the name is that of a folder, or if the
    /// limit `files` leaves no room for it.
    pub(crate) fn write_file(&self, name: String, content: &[u8]) -> Result<(), Error> {
        let refuse = |why: &str| {
            Err(Error::new(ErrorKind::Value, format!("write_file: cannot write \"{}\": {why}", shown(&name))))
        };
        if !self.0.channels.is_writable {
            return refuse(
                "this script may not write files; an application allows it with `Sandbox::writable`, and `wasmlark run` \
                 with `--out DIR`",
            );
        }
        let size = |name: &str, content: &[u8]| {
            FILE_OVERHEAD.saturating_add(name.len() as u64).saturating_add(content.len() as u64)
        };
        let old = {
            let state = self.state();
            let folder = format!("{name}/");
            if state.files.range(folder.clone()..).next().is_some_and(|(other, _)| other.starts_with(&folder)) {
                return refuse("it is the folder of a file that was written before");
            }
            if let Some((at, _)) = name
                .match_indices('/')
                .find(|(at, _)| name.get(..*at).is_some_and(|folder| state.files.contains_key(folder)))
            {
                let folder = shown(name.get(..at).unwrap_or_default());
                return refuse(&format!("\"{folder}\" is a file that was written before"));
            }
            state.files.get(&name).map_or(0, |old| size(&name, old))
        };
        self.hold(size(&name, content), old, "a written file")?;
        self.state().files.insert(name, content.to_vec());
        Ok(())
    }

    /// Counts `bytes` more, and `given_back` less, against the limit `files`.
    fn hold(&self, bytes: u64, given_back: u64, what: &str) -> Result<(), Error> {
        let limit = self.0.files_limit;
        let mut state = self.state();
        let held = state.held.saturating_sub(given_back).saturating_add(bytes);
        if held > limit {
            return Err(Error::limit(
                Limit::Files,
                format!("{what} of {bytes} bytes is too large: the sandbox's limit `files` is {limit} bytes"),
            ));
        }
        state.held = held;
        Ok(())
    }

    /// Makes all output that the limit allows available again.
    pub(crate) fn refill_output(&self) {
        self.state().written = 0;
    }

    pub(crate) fn take_output(&self) -> Output {
        let bytes = std::mem::take(&mut self.state().output);
        match String::from_utf8(bytes) {
            Ok(text) => Output { text, bytes: None },
            Err(error) => {
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                Output { text, bytes: Some(error.into_bytes()) }
            }
        }
    }

    pub(crate) fn take_output_bytes(&self) -> Vec<u8> {
        std::mem::take(&mut self.state().output)
    }

    pub(crate) fn take_error_output(&self) -> Vec<u8> {
        std::mem::take(&mut self.state().error_output)
    }

    /// Takes the files. They still count against the limit `files`.
    pub(crate) fn take_files(&self) -> BTreeMap<String, Vec<u8>> {
        std::mem::take(&mut self.state().files)
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Data").finish_non_exhaustive()
    }
}
