//! `wasmlark lsp`, driven by a client on its standard streams.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than any answer takes, even on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

struct Client {
    server: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    last_id: u64,
}

impl Client {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasmlark"));
        command.arg("lsp").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let input = server.stdin.take();
        let mut output = BufReader::new(server.stdout.take().unwrap());
        let (sender, messages) = channel();
        thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Self { server, input, messages, last_id: 0 }
    }

    /// Starts a server and initializes it.
    fn initialized(args: &[&str]) -> Self {
        let mut client = Self::start(args);
        let answer = client.request("initialize", json!({ "processId": null, "rootUri": null, "capabilities": {} }));
        assert_eq!(answer["capabilities"]["hoverProvider"], true, "{answer}");
        assert_eq!(answer["serverInfo"]["name"], "wasmlark", "{answer}");
        client.notify("initialized", json!({}));
        client
    }

    fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    fn receive(&self) -> Value {
        self.messages.recv_timeout(TIMEOUT).unwrap()
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Returns the whole response.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let answer = self.receive();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params);
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// Returns the error's number.
    fn refused(&mut self, method: &str, params: Value) -> i64 {
        let answer = self.ask(method, params);
        answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("{answer}"))
    }

    /// Asks about a position in a document: line and character from 0.
    fn at(&mut self, method: &str, uri: &str, line: u64, character: u64) -> Value {
        let position = json!({ "line": line, "character": character });
        self.request(method, json!({ "textDocument": { "uri": uri }, "position": position }))
    }

    fn diagnostics(&self, uri: &str) -> Vec<Value> {
        let message = self.receive();
        assert_eq!(message["method"], "textDocument/publishDiagnostics", "{message}");
        assert_eq!(message["params"]["uri"], uri, "{message}");
        message["params"]["diagnostics"].as_array().unwrap().clone()
    }

    fn open(&mut self, uri: &str, text: &str) -> Vec<Value> {
        let document = json!({ "uri": uri, "languageId": "starlark", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
        self.diagnostics(uri)
    }

    fn change(&mut self, uri: &str, text: &str) -> Vec<Value> {
        let document = json!({ "uri": uri, "version": 2 });
        let params = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
        self.notify("textDocument/didChange", params);
        self.diagnostics(uri)
    }

    /// Returns the completions at a position.
    fn labels(&mut self, uri: &str, line: u64, character: u64) -> Vec<String> {
        let items = self.at("textDocument/completion", uri, line, character);
        let items = items.as_array().unwrap().iter();
        items.map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits for the end of the server. Returns its exit status and what it wrote to stderr.
    fn ended(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.server.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < TIMEOUT, "the server goes on");
            thread::sleep(Duration::from_millis(10));
        };
        let mut error = String::new();
        self.server.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        (status.code(), error)
    }

    fn end(mut self) {
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        assert_eq!(self.ended(), (Some(0), String::new()));
    }
}

/// A failing test must not leave a server behind.
impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().ok(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length?];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// Returns an empty folder.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("lib")).unwrap();
    folder.canonicalize().unwrap()
}

fn uri(path: &Path) -> String {
    let path = path.to_str().unwrap().trim_start_matches(r"\\?\").replace('\\', "/").replace(' ', "%20");
    if path.starts_with('/') { format!("file://{path}") } else { format!("file:///{}", path.replace(':', "%3A")) }
}

fn range(begin: (u64, u64), end: (u64, u64)) -> Value {
    let position = |(line, character)| json!({ "line": line, "character": character });
    json!({ "start": position(begin), "end": position(end) })
}

#[test]
fn diagnostics_follow_the_text() {
    let main = uri(&folder("lsp diagnostics").join("main.star"));
    let mut client = Client::initialized(&[]);
    // A character of two UTF-16 units comes before the fault.
    let [found] = &client.open(&main, "memory = wasm.Memory(1)\nprint('😀', memory.raed(0, 4))\n")[..] else {
        panic!()
    };
    assert_eq!(found["range"], range((1, 19), (1, 23)), "{found}");
    assert_eq!((&found["severity"], &found["code"], &found["source"]), (&json!(1), &json!("type"), &json!("wasmlark")));
    assert!(found["message"].as_str().unwrap().contains("raed"), "{found}");
    assert_eq!(client.change(&main, "memory = wasm.Memory(1)\nmemory.read(0, 4)\n"), [Value::Null; 0]);
    let [found] = &client.change(&main, "x = (\n")[..] else { panic!() };
    assert_eq!(found["code"], "syntax");
    let [found] = &client.change(&main, "def f(x):\n    if x:\n        return 1\n")[..] else { panic!() };
    assert_eq!(found["severity"], 2, "a lint warns");
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": main } }));
    assert_eq!(client.diagnostics(&main), [Value::Null; 0]);
    assert_eq!(client.at("textDocument/hover", &main, 0, 0), Value::Null);
    client.end();
}

#[test]
fn loaded_files_are_read_from_the_editor() {
    let folder = folder("lsp-loads");
    fs::write(folder.join("lib/a.star"), "def f(x: int):\n    return x\n").unwrap();
    fs::write(folder.join("lib/use.star"), "load('lib/a.star', 'f')\nf('1')\n").unwrap();
    let [lib, user] = ["lib/a.star", "lib/use.star"].map(|name| uri(&folder.join(name)));
    let text = fs::read_to_string(folder.join("lib/use.star")).unwrap();

    let mut client = Client::initialized(&[]);
    let [found] = &client.open(&user, &text)[..] else { panic!() };
    assert_eq!(found["code"], "load", "without --root, names are relative to the script's folder");
    client.end();

    let mut client = Client::initialized(&["--root", folder.to_str().unwrap()]);
    let [found] = &client.open(&user, &text)[..] else { panic!() };
    assert_eq!((&found["code"], &found["range"]), (&json!("type"), &range((1, 2), (1, 5))));
    assert_eq!(client.open(&lib, "\ndef f(x: str):\n    return x\n"), [Value::Null; 0]);
    client.notify("textDocument/didSave", json!({ "textDocument": { "uri": lib } }));
    assert_eq!(client.diagnostics(&lib), [Value::Null; 0]);
    assert_eq!(client.diagnostics(&user), [Value::Null; 0], "what is open counts, not what is on the disk");
    let found = client.at("textDocument/definition", &user, 1, 0);
    assert_eq!(found, json!({ "uri": lib, "range": range((1, 4), (1, 5)) }));
    client.change(&lib, "def f(\n");
    let found = client.change(&user, &text);
    let message = found.first().unwrap()["message"].as_str().unwrap();
    assert!(message.starts_with("lib/a.star:"), "{message}");
    client.end();
}

#[test]
fn hover_shows_the_reference_and_what_a_script_defines() {
    let folder = folder("lsp-hover");
    fs::write(folder.join("lib/a.star"), "def twice(x: int) -> int:\n    '''Doubles it.'''\n    return 2 * x\n")
        .unwrap();
    let main = uri(&folder.join("main.star"));
    let script = "load('lib/a.star', 'twice')\n\
                  instance = wasm.instantiate(wasm.wat('(module)'))\n\
                  instance.memory.read(0, 4)\n\
                  twice(1)\n\
                  read_file('x')\n\
                  memory = wasm.Memory(1)\n\
                  stdin = memory\n";
    let mut client = Client::initialized(&[]);
    client.open(&main, script);
    let mut hover = |line, character| {
        let found = client.at("textDocument/hover", &main, line, character);
        if !found.is_null() {
            assert_eq!(found["contents"]["kind"], "markdown");
        }
        found["contents"]["value"].as_str().map(str::to_owned)
    };
    assert_eq!(hover(1, 18), wasmlark::reference_entry("wasm.instantiate"));
    assert_eq!(hover(1, 36), wasmlark::reference_entry("wasm.wat"));
    assert_eq!(hover(1, 2).as_deref(), Some("```python\ninstance: wasm.Instance\n```\n"));
    assert_eq!(hover(2, 10), wasmlark::reference_entry("wasm.Instance.memory"));
    assert_eq!(hover(2, 16), wasmlark::reference_entry("wasm.Memory.read"));
    assert_eq!(hover(3, 1).as_deref(), Some("```python\ndef twice(x: int) -> int:\n```\n\nDoubles it.\n"));
    assert_eq!(hover(4, 1), wasmlark::reference_entry("read_file"));
    let memory = hover(5, 16).unwrap();
    assert!(memory.starts_with("# Memory") && memory.contains("def Memory(") && !memory.contains("read_string"));
    let stdin = "```python\nstdin: wasm.Memory\n```\n";
    assert_eq!(hover(6, 1).as_deref(), Some(stdin), "a variable hides the function of its name");
    assert_eq!(hover(99, 99), None);
    client.end();
}

#[test]
fn completion_knows_the_namespace_its_types_and_the_script() {
    let main = uri(&folder("lsp-completion").join("main.star"));
    let mut client = Client::initialized(&[]);
    client.open(&main, "memory = wasm.Memory(1)\ndef grow(pages):\n    wasm.\n    memory.re\n    pa\n");
    let found = client.labels(&main, 2, 9);
    for name in ["Memory", "instantiate", "wat"] {
        assert!(found.contains(&name.to_owned()), "{name}: {found:?}");
    }
    client.change(&main, "memory = wasm.Memory(1)\ndef grow(pages):\n    print(memory.re\n");
    let found = client.labels(&main, 2, 19);
    assert!(found.contains(&"read_string".to_owned()) && !found.contains(&"write".to_owned()), "{found:?}");
    client.change(&main, "memory = wasm.Memory(1)\ndef grow(pages):\n    print(me, pa\n");
    assert_eq!(client.labels(&main, 2, 12), ["memory"]);
    assert_eq!(client.labels(&main, 2, 16), ["pages", "partial", "pass"]);
    client.change(&main, "rea\nasse\n__\n");
    assert_eq!(client.labels(&main, 0, 3), ["read_file"]);
    assert_eq!(client.labels(&main, 1, 4), [""; 0], "only tests have these");
    assert_eq!(client.labels(&main, 2, 2), [""; 0]);
    let test = main.replace("main.star", "main_test.star");
    client.open(&test, "assert_t\n");
    assert_eq!(client.labels(&test, 0, 8), ["assert_true"]);
    client.change(&main, "instance = wasm.instantiate('a.wasm')\ninstance.memory.byte\n");
    assert_eq!(client.labels(&main, 1, 20), ["byte_length"]);
    client.change(&main, "wasm = 1\nwasm.\n");
    assert_eq!(client.labels(&main, 1, 5), [""; 0], "a variable hides the namespace");
    client.end();
}

#[test]
fn chunks_are_scripts_of_their_own() {
    let folder = folder("lsp chunks");
    let mut client = Client::initialized(&[]);
    let chunks = uri(&folder.join("a_chunks.star"));
    let text = "# One.\none = 1\n---\n# Two.\n# file: lib.star\n#| two = 2\nload('lib.star', 'two')\nprint(one)\nfail(one)  ### x\n\
                three = two\ntw\n---\nx = 1\n";
    let found = client.open(&chunks, text);
    let shown: Vec<_> = found.iter().map(|it| (it["range"]["start"]["line"].as_u64(), it["code"].as_str())).collect();
    assert_eq!(shown, [(Some(7), Some("type")), (Some(10), Some("type")), (Some(12), Some("chunk"))], "{found:?}");
    assert_eq!(client.labels(&chunks, 10, 2), ["two"]);
    let definition = client.at("textDocument/definition", &chunks, 9, 1);
    assert_eq!(definition, json!({ "uri": chunks, "range": range((9, 0), (9, 5)) }));
    client.end();
}

#[test]
fn definitions_are_found_here_and_in_loaded_files() {
    let folder = folder("lsp définition");
    fs::write(folder.join("lib/a b.star"), "'😀'; x = 1\n").unwrap();
    let mut client = Client::initialized(&[]);
    // As editors write it: non-ASCII characters as percent-encoded bytes.
    let encoded = |path: &str| uri(&folder.join(path)).replace('é', "%C3%A9");
    let (main, lib) = (encoded("main.star"), encoded("lib/a b.star"));
    client.open(&main, "load('./lib/a b.star', y = 'x')\ndef f(y):\n    return y\nf(y)\n");
    fs::write(folder.join("main.star"), "").unwrap();
    client.change(&main, "load('./lib/a b.star', y = 'x')\ndef f(y):\n    return y\nf(y)\n");
    let mut definition = |line, character| client.at("textDocument/definition", &main, line, character);
    assert_eq!(definition(3, 0), json!({ "uri": main, "range": range((1, 4), (1, 5)) }));
    assert_eq!(definition(2, 11), json!({ "uri": main, "range": range((1, 6), (1, 7)) }));
    assert_eq!(definition(3, 2), json!({ "uri": lib, "range": range((0, 6), (0, 7)) }));
    assert_eq!(definition(0, 8), json!({ "uri": lib, "range": range((0, 0), (0, 0)) }));
    assert_eq!(definition(1, 1), Value::Null);
    client.end();
}

#[test]
fn a_client_that_breaks_the_protocol_gets_errors() {
    let mut client = Client::start(&[]);
    assert_eq!(client.refused("textDocument/hover", json!({})), -32002);
    client.request("initialize", json!({}));
    assert_eq!(client.refused("initialize", json!({})), -32600);
    assert_eq!(client.refused("no/such", json!([1])), -32601);
    assert_eq!(client.refused("textDocument/hover", Value::Null), -32602);
    client.open("untitled:1", "print(1)\n");
    assert_eq!(client.refused("textDocument/hover", json!({ "textDocument": { "uri": "untitled:1" } })), -32602);
    for (method, params) in [
        ("textDocument/didOpen", json!(1)),
        ("textDocument/didChange", json!({ "textDocument": { "uri": "untitled:1" }, "contentChanges": [] })),
        ("textDocument/didChange", json!({ "textDocument": { "uri": "untitled:1" }, "contentChanges": [1] })),
        ("$/unknown", Value::Null),
    ] {
        client.notify(method, params);
    }
    for body in [&b"{"[..], b"\xff\xff", b""] {
        client.write(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        client.write(body);
        assert_eq!(client.receive()["error"]["code"], -32700);
    }
    for body in ["1", "[]", "null", "{}"] {
        client.write(format!("content-length:{}\r\nOther: x\r\n\r\n{body}", body.len()).as_bytes());
        assert_eq!(client.receive()["error"]["code"], -32600, "{body}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(client.open("untitled:2", &deep).len(), 1);
    assert!(client.labels("untitled:2", 0, 3).contains(&"wasm".to_owned()));
    client.request("shutdown", Value::Null);
    assert_eq!(client.refused("textDocument/hover", json!({})), -32600);
    client.notify("exit", Value::Null);
    assert_eq!(client.ended(), (Some(0), String::new()));
}

#[test]
fn garbage_ends_the_server_with_a_message() {
    for (input, message) in [
        (&b"garbage\n"[..], "it is not a message of the language server protocol"),
        (&[0xff; 10_000], "it is not a message of the language server protocol"),
        (b"Content-Length: 5", "it is not a message of the language server protocol"),
        (b"Content-Length: many\r\n\r\n", "a message has no valid Content-Length"),
        (b"Content-Length: 99999999999999999999\r\n\r\n", "a message has no valid Content-Length"),
        (b"Content-Length: 9999999999999999\r\n\r\n", "a message of 9999999999999999 bytes is too long"),
        (b"\r\n", "a message has no valid Content-Length"),
        (b"Content-Length: 5\r\n\r\n{}", "it ends within a message"),
    ] {
        let mut client = Client::start(&[]);
        client.write(input);
        client.input = None;
        assert_eq!(client.ended(), (Some(1), format!("error: cannot read from standard input: {message}\n")));
    }
    let mut client = Client::start(&[]);
    client.input = None;
    assert_eq!(client.ended(), (Some(1), "error: standard input ended before the client said `exit`\n".to_owned()));
    let mut client = Client::initialized(&[]);
    client.notify("exit", Value::Null);
    assert_eq!(client.ended(), (Some(1), String::new()), "`exit` without `shutdown`");
}
