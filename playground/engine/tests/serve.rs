//! Requests and their replies, as the page sends and gets them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use wasmlark::Stats;
use wasmlark_playground::{Page, Playground, Reply, Stream};

#[derive(Default)]
struct Written(Mutex<String>);

impl Page for Written {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        let mark = if stream == Stream::Output { "" } else { "!" };
        self.0.lock().unwrap().push_str(&format!("{mark}{}", String::from_utf8_lossy(bytes)));
    }

    fn progress(&self, _: &Stats) {}
}

struct Worker {
    playground: Playground,
    written: Arc<Written>,
}

impl Worker {
    fn new(script: &str) -> Self {
        let written = Arc::new(Written::default());
        let mut worker = Self { playground: Playground::new(written.clone()), written };
        let files = json!({ "do": "files", "files": [{ "name": "main.star", "length": script.len() }] });
        assert_eq!(worker.serve(&files, script.as_bytes()).0, json!({}));
        worker
    }

    fn serve(&mut self, head: &Json, body: &[u8]) -> (Json, Vec<u8>) {
        let Reply { head, body } = self.playground.serve(head.to_string().as_bytes(), body);
        (serde_json::from_slice(&head).unwrap(), body)
    }

    fn ask(&mut self, head: Json) -> Json {
        self.serve(&head, b"").0
    }
}

#[test]
fn a_run_tells_its_value_cost_and_memories_and_writes_meanwhile() {
    let mut worker = Worker::new(
        "memory = wasm.Memory(2)\nmemory.write(1, b'ab')\nprint('out')\nwrite_error('err')\nwrite_file('a', 'x')\n6 * 7",
    );
    let (reply, body) = worker.serve(&json!({ "do": "run", "name": "main.star" }), b"");
    assert_eq!(*worker.written.0.lock().unwrap(), "out\n!err");
    assert_eq!((&reply["value"], &reply["error"]), (&json!("42"), &Json::Null));
    assert_eq!(reply["memories"], json!([{ "name": "memory", "size": 131072 }]));
    assert_eq!((&reply["files"], body.as_slice()), (&json!([{ "name": "a", "length": 1 }]), &b"x"[..]));
    assert_eq!(reply["stats"]["memory"], 131072);
    let read = json!({ "do": "memory", "name": "memory", "offset": 0, "length": 4 });
    assert_eq!(worker.serve(&read, b"").1, b"\0ab\0");
    assert_eq!(worker.ask(json!({ "do": "eval", "text": "len(memory)" }))["value"], "131072");
}

#[test]
fn a_file_that_is_kept_is_not_sent_again_and_others_go() {
    let mut worker = Worker::new("load('lib.star', 'x')\nx");
    let heads = json!({ "do": "files", "files": [{ "name": "main.star" }, { "name": "lib.star", "length": 5 }] });
    worker.serve(&heads, b"x = 1");
    assert_eq!(worker.ask(json!({ "do": "run", "name": "main.star" }))["value"], "1");
    worker.ask(json!({ "do": "files", "files": [{ "name": "main.star" }] }));
    let error = worker.ask(json!({ "do": "run", "name": "main.star" }))["error"]["message"].to_string();
    assert!(error.contains("lib.star"), "{error}");
    let short = json!({ "do": "files", "files": [{ "name": "main.star", "length": 5 }] });
    assert_eq!(worker.serve(&short, b"abc").0, json!({ "refused": "the body is shorter than the files" }));
}

#[test]
fn frames_are_pictures() {
    let script = "memory = wasm.Memory(1)\nmemory.write(0, b'rgbargba')\ndef frame(now, events):\n    return struct(width = 1, \
                  height = now, pixels = memory.read(0, 4 * now))";
    let mut worker = Worker::new(script);
    assert_eq!(worker.ask(json!({ "do": "frame", "milliseconds": 1, "events": [] }))["refused"], "nothing was run");
    assert_eq!(worker.ask(json!({ "do": "run", "name": "main.star" }))["draws"], true);
    let (reply, body) = worker.serve(&json!({ "do": "frame", "milliseconds": 2, "events": [["Space", true]] }), b"");
    assert_eq!((&reply["width"], &reply["height"], &reply["order"]), (&json!(1), &json!(2), &json!("rgba")));
    assert_eq!(body, b"rgbargba");
    let reply = worker.ask(json!({ "do": "frame", "milliseconds": 0, "events": [] }));
    assert!(reply["error"]["message"].as_str().unwrap().contains("`height`"), "{reply}");
}

#[test]
fn scripts_and_modules_are_checked() {
    let mut worker = Worker::new("memory = wasm.Memory(1)\nmemory.raed(0)\nmemory.gr");
    let found = worker.ask(json!({ "do": "check", "name": "main.star" }));
    assert_eq!(found["found"][0]["place"], json!({ "file": "main.star", "line": 2, "column": 8 }));
    let names = worker.ask(json!({ "do": "complete", "name": "main.star", "line": 3, "column": 10 }));
    assert_eq!(names["names"], json!([{ "name": "grow", "isMember": true }]));
    let files =
        json!({ "do": "files", "files": [{ "name": "a.wat", "length": 9 }, { "name": "b.wat", "length": 28 }] });
    worker.serve(&files, b"(module\nx(module (func (result i32)))");
    let error = worker.ask(json!({ "do": "check", "name": "a.wat" }))["error"].as_str().unwrap().to_owned();
    assert!(error.contains(":2:1"), "{error}");
    let error = worker.ask(json!({ "do": "check", "name": "b.wat" }))["error"].as_str().unwrap().to_owned();
    assert!(error.contains("type mismatch"), "{error}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut worker = Worker::new("");
    assert!(worker.ask(json!({ "do": "dance" }))["refused"].is_string());
    assert_eq!(worker.ask(json!({ "do": "eval", "text": "1" }))["refused"], "nothing was run");
    assert_eq!(
        worker.ask(json!({ "do": "memory", "name": "m", "offset": 0, "length": 1 }))["refused"],
        "nothing was run"
    );
}
