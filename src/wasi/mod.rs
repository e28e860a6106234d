//! WASI preview 1: a whole machine in memory, without access to the host.
//!
//! A [`Machine`] is its state, [`System`] (arguments, environment, files, a clock, random bytes), and its [`Streams`].
//! The functions that a guest imports are in one file per family, and [`WasiFunction::call`] runs them. Nothing here knows
//! the script language or the type of the store's data.
//!
//! A machine's behaviour depends only on what it was made with, on every target: time is a counter, random bytes come
//! from a seed, inode numbers and descriptors are counted, and directories are listed in the order in which their
//! entries were made.

mod abi;
mod args;
mod clock;
mod content;
mod descriptor;
mod fd;
mod fs;
mod io;
mod memory;
mod open;
mod path;
mod poll;
mod proc;
mod random;
mod resolve;
mod sock;
mod stream;
mod system;

use std::sync::{Arc, Mutex, MutexGuard};

use wasmi::{Caller, FuncType, TrapCode, Val, ValType};

use crate::api::host_module::MemorySlot;
use crate::budget::Budget;
use crate::error::Error;
use crate::fuel::BYTES_PER_FUEL;
use crate::linear_memory::LinearMemory;
use crate::slices::{self, Sliced};
pub(crate) use abi::Abi;
use abi::{Fault, WasiResult};
pub(crate) use clock::CLOCK_STEP;
pub(crate) use content::{Content, Given};
use memory::WasiMemory;
pub(crate) use stream::{InputStream, OutputStream, Streams};
pub(crate) use system::{Setup, System};

/// A handle to a machine, shared by the functions of the instances that run on it and by code that inspects it
/// afterwards.
#[derive(Clone)]
pub(crate) struct Machine(Arc<Mutex<MachineParts>>);

/// What a machine consists of.
pub(crate) struct MachineParts {
    pub(crate) system: System,
    pub(crate) streams: Streams,
}

impl Machine {
    /// Makes a machine whose files, and the stream contents that it keeps, count against `budget`.
    ///
    /// # Errors
    ///
    /// As [`System::new`]; also if the bytes of standard input exceed what is left of the limit `files`.
    pub(crate) fn new(setup: Setup, streams: Streams, budget: Budget) -> Result<Self, Error> {
        let system = System::new(setup, budget)?;
        if !system.budget.take_files(streams.stdin.held()) {
            return Err(system::too_large(&system.budget));
        }
        Ok(Self(Arc::new(Mutex::new(MachineParts { system, streams }))))
    }

    /// Locks the machine. No function of a guest runs while the guard is held.
    pub(crate) fn lock(&self) -> MutexGuard<'_, MachineParts> {
        // A panic in a function leaves the state usable for the others.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Where the functions of one instance find the machine and that instance's memory.
#[derive(Clone)]
pub(crate) struct Binding {
    machine: Machine,
    memory: MemorySlot,
}

impl Binding {
    pub(crate) fn new(machine: Machine, memory: MemorySlot) -> Self {
        Self { machine, memory }
    }
}

/// One of the functions of preview 1.
pub(crate) struct WasiFunction {
    pub(crate) name: &'static str,
    params: &'static [ValType],
    run: fn(&mut WasiCall<'_>, &[Val]) -> WasiResult,
}

impl WasiFunction {
    /// Returns the function of that name in that interface.
    pub(crate) fn find(abi: Abi, name: &str) -> Option<&'static Self> {
        Self::all(abi).find(|function| function.name == name)
    }

    /// Returns the functions of an interface. `sock_accept` came to preview 1 later.
    pub(crate) fn all(abi: Abi) -> impl Iterator<Item = &'static Self> {
        FUNCTIONS.iter().filter(move |function| abi == Abi::Preview1 || function.name != "sock_accept")
    }

    pub(crate) fn ty(&self) -> FuncType {
        // All return an error number except the one that does not return.
        let results = if self.name == "proc_exit" { None } else { Some(ValType::I32) };
        FuncType::new(self.params.iter().copied(), results)
    }

    /// Calls it for a guest. Returns the error number, which `proc_exit` does not get to.
    pub(crate) fn call<T: Sliced>(
        &self,
        caller: &mut Caller<'_, T>,
        abi: Abi,
        binding: &Binding,
        params: &[Val],
    ) -> Result<i32, wasmi::Error> {
        let memory = binding.memory.of_caller(caller);
        let fuel = slices::fuel(&*caller);
        let mut machine = binding.machine.lock();
        let MachineParts { system, streams } = &mut *machine;
        let memory = match memory {
            Some(memory) => LinearMemory::new(memory, caller),
            // Every pointer is out of bounds.
            None => LinearMemory::none(),
        };
        let mut call = WasiCall { system, streams, memory: WasiMemory(memory), abi, fuel };
        let outcome = (self.run)(&mut call, params);
        let left = call.fuel;
        drop(machine);
        if let Some(left) = left
            && left != fuel.unwrap_or(left)
        {
            slices::set_fuel(&mut *caller, left);
        }
        match outcome {
            Ok(()) => Ok(0),
            Err(Fault::Errno(errno)) => Ok(i32::from(errno as u16)),
            Err(Fault::Exit(code)) => Err(wasmi::Error::i32_exit(code)),
            Err(Fault::OutOfFuel) => Err(TrapCode::OutOfFuel.into()),
            Err(Fault::Ended(error)) => Err(error.into_wasmi()),
        }
    }
}

/// The state of one call, on which a function works.
struct WasiCall<'a> {
    system: &'a mut System,
    streams: &'a mut Streams,
    memory: WasiMemory<'a>,
    abi: Abi,
    /// The fuel that is left; `None` if fuel is not metered.
    fuel: Option<u64>,
}

impl WasiCall<'_> {
    /// Charges for work on this many bytes before it is done, at the price of a `memory.copy`.
    fn pay(&mut self, bytes: u64) -> WasiResult {
        let price = bytes / BYTES_PER_FUEL;
        if let Some(fuel) = &mut self.fuel {
            let left = fuel.checked_sub(price);
            *fuel = left.unwrap_or(0);
            left.ok_or(Fault::OutOfFuel)?;
        }
        Ok(())
    }
}

/// A parameter's type: `u32` for pointers, lengths, descriptors and flags of all sizes; `u64` and `i64` for the rest.
trait Param: Sized {
    const TYPE: ValType;
    fn from_val(val: Option<&Val>) -> Self;
}

// wasmi has checked the types of the arguments before it calls a function.
impl Param for u32 {
    const TYPE: ValType = ValType::I32;
    fn from_val(val: Option<&Val>) -> Self {
        val.and_then(Val::i32).unwrap_or_default().cast_unsigned()
    }
}

impl Param for u64 {
    const TYPE: ValType = ValType::I64;
    fn from_val(val: Option<&Val>) -> Self {
        i64::from_val(val).cast_unsigned()
    }
}

impl Param for i64 {
    const TYPE: ValType = ValType::I64;
    fn from_val(val: Option<&Val>) -> Self {
        val.and_then(Val::i64).unwrap_or_default()
    }
}

macro_rules! functions {
    ($($family:ident::$name:ident($($param:ident: $ty:ty),*);)*) => {
        /// All functions of preview 1, in the order of the specification.
        static FUNCTIONS: &[WasiFunction] = &[$(WasiFunction {
            name: stringify!($name),
            params: &[$(<$ty as Param>::TYPE),*],
            #[allow(unused)] // In functions without parameters.
            run: |call, values| {
                let mut values = values.iter();
                $(let $param = <$ty as Param>::from_val(values.next());)*
                $family::$name(call, $($param),*)
            },
        }),*];
    };
}

functions! {
    args::args_get(argv: u32, buf: u32);
    args::args_sizes_get(count: u32, size: u32);
    args::environ_get(environ: u32, buf: u32);
    args::environ_sizes_get(count: u32, size: u32);
    clock::clock_res_get(id: u32, out: u32);
    clock::clock_time_get(id: u32, precision: u64, out: u32);
    fd::fd_advise(fd: u32, offset: u64, len: u64, advice: u32);
    fd::fd_allocate(fd: u32, offset: u64, len: u64);
    fd::fd_close(fd: u32);
    fd::fd_datasync(fd: u32);
    fd::fd_fdstat_get(fd: u32, out: u32);
    fd::fd_fdstat_set_flags(fd: u32, flags: u32);
    fd::fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64);
    fd::fd_filestat_get(fd: u32, out: u32);
    fd::fd_filestat_set_size(fd: u32, size: u64);
    fd::fd_filestat_set_times(fd: u32, accessed: u64, modified: u64, flags: u32);
    io::fd_pread(fd: u32, iovs: u32, count: u32, offset: u64, out: u32);
    fd::fd_prestat_get(fd: u32, out: u32);
    fd::fd_prestat_dir_name(fd: u32, path: u32, len: u32);
    io::fd_pwrite(fd: u32, iovs: u32, count: u32, offset: u64, out: u32);
    io::fd_read(fd: u32, iovs: u32, count: u32, out: u32);
    io::fd_readdir(fd: u32, buf: u32, len: u32, cookie: u64, out: u32);
    fd::fd_renumber(from: u32, to: u32);
    io::fd_seek(fd: u32, offset: i64, whence: u32, out: u32);
    fd::fd_sync(fd: u32);
    io::fd_tell(fd: u32, out: u32);
    io::fd_write(fd: u32, iovs: u32, count: u32, out: u32);
    path::path_create_directory(fd: u32, path: u32, len: u32);
    path::path_filestat_get(fd: u32, flags: u32, path: u32, len: u32, out: u32);
    path::path_filestat_set_times(
        fd: u32, flags: u32, path: u32, len: u32, accessed: u64, modified: u64, fst_flags: u32
    );
    path::path_link(old_fd: u32, flags: u32, old: u32, old_len: u32, fd: u32, path: u32, len: u32);
    open::path_open(
        fd: u32, flags: u32, path: u32, len: u32, oflags: u32, base: u64, inheriting: u64, fd_flags: u32, out: u32
    );
    path::path_readlink(fd: u32, path: u32, len: u32, buf: u32, buf_len: u32, out: u32);
    path::path_remove_directory(fd: u32, path: u32, len: u32);
    path::path_rename(old_fd: u32, old: u32, old_len: u32, fd: u32, path: u32, len: u32);
    path::path_symlink(target: u32, target_len: u32, fd: u32, path: u32, len: u32);
    path::path_unlink_file(fd: u32, path: u32, len: u32);
    poll::poll_oneoff(subscriptions: u32, events: u32, count: u32, out: u32);
    proc::proc_exit(code: u32);
    proc::proc_raise(signal: u32);
    proc::sched_yield();
    random::random_get(buf: u32, len: u32);
    sock::sock_accept(fd: u32, flags: u32, out: u32);
    sock::sock_recv(fd: u32, iovs: u32, count: u32, flags: u32, out: u32, out_flags: u32);
    sock::sock_send(fd: u32, iovs: u32, count: u32, flags: u32, out: u32);
    sock::sock_shutdown(fd: u32, how: u32);
}
