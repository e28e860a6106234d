//! Messages of the language server protocol: JSON behind a header that says its length.

use std::io::{self, BufRead, Read};

use serde_json::{Value, json};

/// No client sends longer ones: a script is a part of a message. In bytes.
const LONGEST_MESSAGE: usize = 64 << 20;
const LONGEST_HEADER: u64 = 4096;

/// What JSON-RPC and the protocol call these errors.
pub const PARSE_ERROR: i32 = -32700;
pub const INVALID_REQUEST: i32 = -32600;
pub const METHOD_NOT_FOUND: i32 = -32601;
pub const INVALID_PARAMS: i32 = -32602;
pub const NOT_INITIALIZED: i32 = -32002;

/// What was read.
pub enum Incoming {
    Message(Value),
    /// A body that is not JSON, and why. The next message can still be read.
    Garbled(String),
    /// The client has closed its end, between two messages.
    End,
}

/// Reads a message.
///
/// # Errors
///
/// If the stream cannot be read, ends within a message, or has no valid header where one has to be. What comes after
/// it cannot be told then.
pub fn read(input: &mut impl BufRead) -> io::Result<Incoming> {
    let Some(length) = read_header(input)? else { return Ok(Incoming::End) };
    let mut body = Vec::new();
    // Memory is taken for what arrives, not for what the header promises.
    input.take(length as u64).read_to_end(&mut body)?;
    if body.len() < length {
        return Err(invalid("it ends within a message"));
    }
    Ok(match serde_json::from_slice(&body) {
        Ok(message) => Incoming::Message(message),
        Err(error) => Incoming::Garbled(error.to_string()),
    })
}

/// Returns the length of the body, or `None` at the end of the stream.
fn read_header(input: &mut impl BufRead) -> io::Result<Option<usize>> {
    let mut length = None;
    let mut is_first = true;
    loop {
        let mut line = Vec::new();
        input.by_ref().take(LONGEST_HEADER).read_until(b'\n', &mut line)?;
        if line.is_empty() && is_first {
            return Ok(None);
        }
        is_first = false;
        let Some(line) = line.strip_suffix(b"\n") else {
            return Err(invalid("it is not a message of the language server protocol"));
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let line = String::from_utf8_lossy(line);
        let Some((name, value)) = line.split_once(':') else {
            return Err(invalid("it is not a message of the language server protocol"));
        };
        if name.trim().eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
    match length {
        Some(length) if length <= LONGEST_MESSAGE => Ok(Some(length)),
        Some(length) => Err(invalid(&format!("a message of {length} bytes is too long"))),
        None => Err(invalid("a message has no valid Content-Length")),
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Returns the bytes of a message.
pub fn encode(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Returns the answer to a request.
pub fn response(id: Value, result: Result<Value, (i32, String)>) -> Value {
    match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err((code, message)) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    }
}

pub fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}
