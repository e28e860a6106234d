//! Serves the page's requests with a sandbox and the session of the last run.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use wasmlark::{CallLimits, Error, Sandbox, Session, Stats, Value};

use crate::frame;
use crate::reply::{self, Reply};
use crate::request::{File, Request};

/// Where a script writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    ErrorOutput,
}

/// What the page gets while a request is served.
pub trait Page: Send + Sync + 'static {
    /// Takes what the script writes.
    fn write(&self, stream: Stream, bytes: &[u8]);

    /// Takes what the run has spent so far.
    fn progress(&self, spent: &Stats);
}

/// The maximum length of the text of a value, in bytes. The page gets no more of it.
const MAX_SHOWN: usize = 10_000;

/// The name of the function that makes pictures.
const FRAME: &str = "frame";

/// Serves the requests of one worker.
pub struct Playground {
    sandbox: Sandbox,
    files: BTreeMap<String, Vec<u8>>,
    session: Option<Session>,
}

impl Playground {
    /// Makes a playground without files.
    pub fn new(page: Arc<impl Page>) -> Self {
        let [output, error_output, progress] = [(); 3].map(|()| page.clone());
        // Interruptible, since a guest reports its progress only if it can be paused.
        let sandbox = Sandbox::new()
            .interruptible(true)
            .writable(true)
            .on_write(move |bytes| output.write(Stream::Output, bytes))
            .on_write_error(move |bytes| error_output.write(Stream::ErrorOutput, bytes))
            .on_progress(move |spent| progress.progress(spent));
        Self { sandbox, files: BTreeMap::new(), session: None }
    }

    /// Answers a request.
    pub fn serve(&mut self, head: &[u8], body: &[u8]) -> Reply {
        match serde_json::from_slice(head) {
            Ok(request) => self.answer(request, body),
            Err(error) => Reply::refused(error),
        }
    }

    fn answer(&mut self, request: Request, body: &[u8]) -> Reply {
        match request {
            Request::Files { files } => self.set_files(&files, body),
            Request::Run { name } => self.run(&name),
            Request::Eval { text } => self.eval(&text),
            Request::Frame { milliseconds, events } => self.frame(milliseconds, events),
            Request::Memory { name, offset, length } => self.memory(&name, offset, length),
            Request::Check { name } => self.check(&name),
            Request::Complete { name, line, column } => self.complete(&name, line, column),
            Request::Describe { name, line, column } => {
                let description = self.sandbox.description(&name, &self.text(&name), line, column);
                json!({ "markdown": description }).into()
            }
            Request::Inspect { name } => self.inspect(&name),
        }
    }

    fn set_files(&mut self, heads: &[File], body: &[u8]) -> Reply {
        let mut files = BTreeMap::new();
        let mut rest = body;
        for File { name, length } in heads {
            let Some(length) = length else {
                files.extend(self.files.remove_entry(name));
                continue;
            };
            let Some((content, after)) = rest.split_at_checked(*length) else {
                return Reply::refused("the body is shorter than the files");
            };
            rest = after;
            self.sandbox.file(name.clone(), content);
            files.insert(name.clone(), content.to_vec());
        }
        for name in self.files.keys().filter(|name| !files.contains_key(*name)) {
            self.sandbox.remove_file(name);
        }
        self.files = files;
        json!({}).into()
    }

    fn text(&self, name: &str) -> String {
        self.files.get(name).map(|content| String::from_utf8_lossy(content).into_owned()).unwrap_or_default()
    }

    fn run(&mut self, name: &str) -> Reply {
        // Dropped before the new one starts, which may need the memory.
        self.session = None;
        let (session, result) = self.sandbox.open(name, &self.text(name));
        self.session = Some(session);
        self.outcome(result)
    }

    fn eval(&mut self, text: &str) -> Reply {
        let Some(session) = &mut self.session else { return Reply::refused("nothing was run") };
        let result = session.eval("<console>", text);
        self.outcome(result)
    }

    /// Reports how a run or an evaluation ended, and what the session has now. The body has the files that it wrote.
    fn outcome(&mut self, result: Result<Value, Error>) -> Reply {
        let Some(session) = &mut self.session else { return Reply::refused("nothing was run") };
        let (value, error) = match &result {
            Ok(Value::None) => (Json::Null, Json::Null),
            Ok(value) => (shown(value), Json::Null),
            Err(error) => (Json::Null, reply::error(error)),
        };
        let functions = session.functions().unwrap_or_default();
        let memories = session.memories().unwrap_or_default();
        let written = session.take_files();
        let stats = session.stats();
        let head = json!({
            "value": value,
            "error": error,
            "stats": reply::stats(&stats),
            "draws": functions.iter().any(|function| function.name == FRAME),
            "functions": functions.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "memories": memories.iter().map(|memory| json!({ "name": memory.name, "size": memory.size })).collect::<Vec<_>>(),
            "files": written.iter().map(|(name, content)| json!({ "name": name, "length": content.len() })).collect::<Vec<_>>(),
        });
        Reply::new(&head, written.into_values().flatten().collect())
    }

    fn frame(&mut self, milliseconds: i64, events: Vec<(String, bool)>) -> Reply {
        let Some(session) = &mut self.session else { return Reply::refused("nothing was run") };
        let events = events.into_iter().map(|(key, is_down)| Value::Tuple(vec![Value::Str(key), Value::Bool(is_down)]));
        let arguments = [Value::from(milliseconds), Value::List(events.collect())];
        let picture = session.call_values_with(FRAME, &arguments, &[], CallLimits::new());
        // Each frame may spend as much as a run.
        let refilled = session.refill();
        let stats = reply::stats(&session.stats());
        match picture.and_then(|value| refilled.map(|()| value)) {
            Ok(value) => match frame::picture(&value) {
                Ok(mut reply) => {
                    // The head is always an object.
                    if let Ok(Json::Object(mut head)) = serde_json::from_slice(&reply.head) {
                        head.insert("stats".to_owned(), stats);
                        reply.head = Json::Object(head).to_string().into_bytes();
                    }
                    reply
                }
                Err(message) => {
                    json!({ "stats": stats, "error": { "kind": "error", "message": message, "report": message } })
                        .into()
                }
            },
            Err(error) => json!({ "stats": stats, "error": reply::error(&error) }).into(),
        }
    }

    fn memory(&mut self, name: &str, offset: u64, length: u64) -> Reply {
        let Some(session) = &mut self.session else { return Reply::refused("nothing was run") };
        match session.read_memory(name, offset, length) {
            Ok(bytes) => Reply::new(&json!({ "offset": offset }), bytes),
            Err(error) => Reply::refused(error.message()),
        }
    }

    fn check(&self, name: &str) -> Reply {
        if name.ends_with(".star") {
            let found = self.sandbox.check(name, &self.text(name));
            return json!({ "found": found.iter().map(reply::diagnostic).collect::<Vec<_>>() }).into();
        }
        // The text is checked first, since its errors have a place, and then the bodies of the functions.
        let error = self.files.get(name).and_then(|content| wasmlark::inspect(content).err());
        let error = error.or_else(|| self.sandbox.run("check", &format!("wasm.Module({})", json!(name))).err());
        json!({ "error": error.as_ref().map(Error::message) }).into()
    }

    fn complete(&self, name: &str, line: usize, column: usize) -> Reply {
        let found = self.sandbox.completions(name, &self.text(name), line, column);
        let names: Vec<Json> =
            found.iter().map(|found| json!({ "name": found.name, "isMember": found.is_member })).collect();
        json!({ "names": names }).into()
    }

    fn inspect(&self, name: &str) -> Reply {
        let Some(content) = self.files.get(name) else { return Reply::refused("there is no such file") };
        match wasmlark::inspect(content) {
            Ok(found) => {
                let items = |items: &[wasmlark::Item]| items.iter().map(wasmlark::Item::signature).collect::<Vec<_>>();
                json!({
                    "size": content.len(),
                    "name": found.name,
                    "imports": items(&found.imports),
                    "exports": items(&found.exports),
                })
                .into()
            }
            Err(error) => json!({ "size": content.len(), "error": error.message() }).into(),
        }
    }
}

fn shown(value: &Value) -> Json {
    let text = value.to_string();
    match text.char_indices().find(|(at, _)| *at >= MAX_SHOWN) {
        Some((at, _)) => json!(format!("{}… ({} bytes)", text.get(..at).unwrap_or_default(), text.len())),
        None => json!(text),
    }
}
