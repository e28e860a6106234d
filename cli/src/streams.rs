//! Standard input and output, whose use is an error if they are closed.
//!
//! Before `main`, Rust replaces a standard stream that is closed by the null device. Then output is lost and input is empty,
//! without an error. So the command checks the streams before Rust does that.

// An entry of `.init_array` is a promise to the linker, and asking for a descriptor is a call of C: see `look`.
#![allow(unsafe_code)]

use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::terminal;

/// A bit for each standard stream that was closed, by the number of its descriptor.
static CLOSED: AtomicU8 = AtomicU8::new(0);

const STDIN: u8 = 0;
const STDOUT: u8 = 1;

/// Called by the system's loader before `main`.
// SAFETY: both sections hold pointers to functions with this signature, which the loader calls once each.
#[cfg(unix)]
#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static LOOK: extern "C" fn() = look;

/// Notes which streams are closed. It allocates nothing and cannot panic, since the runtime has not started.
#[cfg(unix)]
extern "C" fn look() {
    for stream in [STDIN, STDOUT] {
        // SAFETY: this reads the flags of a descriptor, which fails if it is closed, and changes nothing.
        if unsafe { libc::fcntl(stream.into(), libc::F_GETFD) } == -1 {
            CLOSED.fetch_or(1 << stream, Ordering::Relaxed);
        }
    }
}

fn check(stream: u8, name: &str) -> io::Result<()> {
    if CLOSED.load(Ordering::Relaxed) & (1 << stream) == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!("{name} is closed")))
}

/// Standard input. Reading is an error if it is closed.
pub struct Stdin;

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        check(STDIN, "standard input")?;
        terminal::clear_progress();
        io::stdin().read(buffer)
    }
}

/// Standard output. Writing is an error if it is closed.
pub struct Stdout;

impl Write for Stdout {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        check(STDOUT, "standard output")?;
        terminal::clear_progress();
        io::stdout().write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

/// Standard error.
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        terminal::clear_progress();
        io::stderr().write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Writes all of a text to standard output. When the reader of a pipe exits, the output ends, which is not an error.
pub fn print(text: &[u8]) -> io::Result<()> {
    match Stdout.write_all(text).and_then(|()| Stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
