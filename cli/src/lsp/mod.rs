//! `wasmlark lsp`: a language server on stdin and stdout.
//!
//! Made of what the library knows of a script, not of the crate `starlark_lsp`: that one brings an asynchronous runtime,
//! ends with a panic where a client breaks the protocol, and does not know the types of the namespace.

mod answers;
mod documents;
mod text;
mod uri;
mod wire;

use std::io::{self, BufReader};

use serde_json::{Value, json};

use self::documents::Documents;
use self::wire::Incoming;
use crate::{args, exit, streams};

/// The answer to a request: a result, or the number of an error and a message.
type Answer = Result<Value, (i32, String)>;

#[derive(PartialEq, Eq)]
enum State {
    New,
    Running,
    ShutDown,
}

struct Server {
    state: State,
    documents: Documents,
}

/// Serves until the client says `exit`, and returns the exit status.
pub fn run(options: args::LspArguments) -> u8 {
    let mut server = Server { state: State::New, documents: Documents::new(options.root) };
    let mut input = BufReader::new(streams::Stdin);
    loop {
        let served = match wire::read(&mut input) {
            Ok(Incoming::Message(message)) if method(&message) == Some("exit") => break,
            Ok(Incoming::Message(message)) => server.serve(message),
            Ok(Incoming::Garbled(why)) => {
                let message = format!("the message is not JSON: {why}");
                server.send(&wire::response(Value::Null, Err((wire::PARSE_ERROR, message))))
            }
            Ok(Incoming::End) => return exit::fail("standard input ended before the client said `exit`"),
            Err(error) => return exit::fail(&format!("cannot read from standard input: {error}")),
        };
        if let Err(error) = served {
            return exit::fail(&format!("cannot write to standard output: {error}"));
        }
    }
    if server.state == State::ShutDown { exit::DONE } else { exit::FAILED }
}

fn method(message: &Value) -> Option<&str> {
    message.get("method")?.as_str()
}

/// Returns a string in the parameters of a message.
fn string<'a>(params: &'a Value, pointer: &str) -> Result<&'a str, (i32, String)> {
    let missing = || (wire::INVALID_PARAMS, format!("the parameters have no string at {pointer}"));
    params.pointer(pointer).and_then(Value::as_str).ok_or_else(missing)
}

impl Server {
    /// Does not fail if the client is gone: then stdin ends, and the server with it.
    fn send(&self, message: &Value) -> io::Result<()> {
        streams::print(&wire::encode(message))
    }

    fn serve(&mut self, mut message: Value) -> io::Result<()> {
        let id = message.get("id").cloned();
        let params = message.get_mut("params").map(Value::take).unwrap_or_default();
        match (method(&message), id) {
            (Some(method), Some(id)) => {
                let method = method.to_owned();
                let answer = self.request(&method, &params);
                self.send(&wire::response(id, answer))
            }
            (Some(method), None) => {
                let method = method.to_owned();
                self.notification(&method, &params)
            }
            // An answer to a request, and this server makes none.
            (None, Some(_)) => Ok(()),
            (None, None) => {
                let error = (wire::INVALID_REQUEST, "the message has no method".to_owned());
                self.send(&wire::response(Value::Null, Err(error)))
            }
        }
    }

    fn request(&mut self, method: &str, params: &Value) -> Answer {
        match (&self.state, method) {
            (State::New, "initialize") => {
                self.state = State::Running;
                return Ok(capabilities());
            }
            (State::New, _) => return Err((wire::NOT_INITIALIZED, "`initialize` has to come first".to_owned())),
            (State::ShutDown, _) => {
                return Err((wire::INVALID_REQUEST, "only `exit` may come after `shutdown`".to_owned()));
            }
            (State::Running, _) => {}
        }
        match method {
            "initialize" => Err((wire::INVALID_REQUEST, "`initialize` comes once".to_owned())),
            "shutdown" => {
                self.state = State::ShutDown;
                Ok(Value::Null)
            }
            "textDocument/hover" | "textDocument/completion" | "textDocument/definition" => self.ask(method, params),
            _ => Err((wire::METHOD_NOT_FOUND, format!("there is no method `{method}`"))),
        }
    }

    /// Answers what is asked of a place in a document. A document that is not open has nothing to tell.
    fn ask(&mut self, method: &str, params: &Value) -> Answer {
        let uri = string(params, "/textDocument/uri")?;
        let document = self.documents.get(uri).map_err(|why| (wire::INVALID_PARAMS, why))?;
        let Some(document) = document else { return Ok(Value::Null) };
        let place = text::place(&document.text, params.get("position").unwrap_or(&Value::Null))?;
        let document = document.at(place.line);
        Ok(match method {
            "textDocument/hover" => answers::hover(&document, place),
            "textDocument/completion" => answers::completion(&document, place),
            _ => answers::definition(&document, place, uri),
        })
    }

    /// Takes a notification. One that makes no sense is passed over: it has no answer that could say so.
    fn notification(&mut self, method: &str, params: &Value) -> io::Result<()> {
        if self.state != State::Running {
            return Ok(());
        }
        let Ok(uri) = string(params, "/textDocument/uri") else { return Ok(()) };
        match method {
            "textDocument/didOpen" => {
                let Ok(text) = string(params, "/textDocument/text") else { return Ok(()) };
                self.documents.set(uri, text.to_owned());
                self.publish(uri)
            }
            "textDocument/didChange" => {
                // Each change is a whole text, as the capabilities ask for: the last one counts.
                let changes = params.get("contentChanges").and_then(Value::as_array);
                let Some(last) = changes.and_then(|changes| changes.last()) else { return Ok(()) };
                let (Some(text), None) = (last.get("text").and_then(Value::as_str), last.get("range")) else {
                    return Ok(());
                };
                self.documents.set(uri, text.to_owned());
                self.publish(uri)
            }
            // What is saved may be loaded by the others.
            "textDocument/didSave" => self.documents.uris().iter().try_for_each(|uri| self.publish(uri)),
            "textDocument/didClose" => {
                self.documents.close(uri);
                let params = json!({ "uri": uri, "diagnostics": [] });
                self.send(&wire::notification("textDocument/publishDiagnostics", params))
            }
            _ => Ok(()),
        }
    }

    fn publish(&self, uri: &str) -> io::Result<()> {
        let message = match self.documents.get(uri) {
            Ok(Some(mut document)) => {
                let params = json!({ "uri": uri, "diagnostics": answers::diagnostics(&mut document) });
                wire::notification("textDocument/publishDiagnostics", params)
            }
            Ok(None) => return Ok(()),
            // 1: an error.
            Err(why) => wire::notification("window/logMessage", json!({ "type": 1, "message": why })),
        };
        self.send(&message)
    }
}

fn capabilities() -> Value {
    json!({
        "capabilities": {
            "positionEncoding": "utf-16",
            // 1: a change brings the whole text.
            "textDocumentSync": { "openClose": true, "change": 1, "save": true },
            "hoverProvider": true,
            "completionProvider": { "triggerCharacters": ["."] },
            "definitionProvider": true,
        },
        "serverInfo": { "name": "wasmlark", "version": env!("CARGO_PKG_VERSION") },
    })
}
