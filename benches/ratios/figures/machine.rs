//! The host of the real modules on wasmi's side, with only what they need.

use wasmi::{AsContextMut, Caller, Engine, Error, Extern, ExternType, Func, Instance};
use wasmi::{Memory, MemoryType, Module, Store, Val, ValType};

use crate::figures::raw;

pub struct Machine<'a> {
    pub store: Store<State>,
    module: &'a Module,
    instance: Option<Instance>,
}

#[derive(Default)]
pub struct State {
    memory: Option<Memory>,
    /// DOOM's clock and screen.
    pub now: i32,
    pub screen: usize,
    log: Vec<String>,
    /// For WASI: the arguments, each with a NUL at its end, and what was written.
    pub args: Vec<String>,
    pub output: Vec<u8>,
}

impl<'a> Machine<'a> {
    pub fn new(engine: &Engine, module: &'a Module) -> Self {
        Self { store: raw::store(engine, State::default()), module, instance: None }
    }

    pub fn instantiate(&mut self) {
        let externs: Vec<Extern> = self
            .module
            .imports()
            .map(|import| match import.ty() {
                ExternType::Func(ty) => {
                    let name = import.name().to_owned();
                    let result = ty.results().first().copied();
                    let call = move |caller: Caller<'_, State>, params: &[Val], results: &mut [Val]| {
                        let params: Vec<i64> = params.iter().map(integer).collect();
                        let value = host(&name, caller, &params)?;
                        if let (Some(slot), Some(ty)) = (results.first_mut(), result) {
                            *slot = if ty == ValType::I64 { Val::I64(value.into()) } else { Val::I32(value) };
                        }
                        Ok(())
                    };
                    Extern::Func(Func::new(&mut self.store, ty.clone(), call))
                }
                ExternType::Memory(ty) => {
                    let memory = Memory::new(&mut self.store, MemoryType::new(ty.minimum() as u32, None)).unwrap();
                    self.store.data_mut().memory = Some(memory);
                    Extern::Memory(memory)
                }
                other => panic!("this host has no {other:?}"),
            })
            .collect();
        let instance = Instance::new(&mut self.store, self.module, &externs).unwrap();
        if let Some(memory) = instance.get_memory(&self.store, "memory") {
            self.store.data_mut().memory = Some(memory);
        }
        self.instance = Some(instance);
    }

    /// Calls a function with integers and returns its result, or 0 if it has none or exits with 0.
    pub fn call(&mut self, name: &str, args: &[i32]) -> i32 {
        let func = self.instance.unwrap().get_func(&self.store, name).unwrap();
        let args: Vec<Val> = args.iter().map(|x| Val::I32(*x)).collect();
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        match func.call(&mut self.store, &args, &mut results) {
            Err(error) if error.i32_exit_status() == Some(0) => 0,
            done => {
                done.unwrap();
                results.first().map_or(0, |x| integer(x) as i32)
            }
        }
    }

    pub fn memory_mut(&mut self) -> &mut [u8] {
        self.store.data().memory.unwrap().data_mut(&mut self.store)
    }
}

fn integer(value: &Val) -> i64 {
    match value {
        Val::I32(x) => i64::from(*x),
        Val::I64(x) => *x,
        _ => 0,
    }
}

const BAD_DESCRIPTOR: i32 = 8;
const NO_ENTRY: i32 = 44;
const NOT_SUPPORTED: i32 = 52;

/// The functions of `js` that DOOM imports, and those of WASI for programs that open no files. No others are supported.
fn host(name: &str, mut caller: Caller<'_, State>, params: &[i64]) -> Result<i32, Error> {
    let at = |index: usize| params[index] as u32 as usize;
    let memory = caller.data().memory.unwrap();
    let (data, state) = memory.data_and_store_mut(caller.as_context_mut());
    let put = |data: &mut [u8], at: usize, bytes: &[u8]| data[at..at + bytes.len()].copy_from_slice(bytes);
    let word = |data: &[u8], at: usize| u32::from_le_bytes(data[at..at + 4].try_into().unwrap()) as usize;
    match name {
        "js_milliseconds_since_start" => return Ok(state.now),
        "js_draw_screen" => state.screen = at(0),
        "js_console_log" | "js_stdout" | "js_stderr" => {
            state.log.push(String::from_utf8(data[at(0)..at(0) + at(1)].to_vec()).unwrap());
        }
        "args_sizes_get" => {
            put(data, at(0), &(state.args.len() as u32).to_le_bytes());
            put(data, at(1), &(state.args.iter().map(String::len).sum::<usize>() as u32).to_le_bytes());
        }
        "args_get" => {
            let (mut pointer, mut text) = (at(0), at(1));
            for arg in &state.args {
                put(data, pointer, &(text as u32).to_le_bytes());
                put(data, text, arg.as_bytes());
                (pointer, text) = (pointer + 4, text + arg.len());
            }
        }
        "environ_sizes_get" => {
            put(data, at(0), &[0; 4]);
            put(data, at(1), &[0; 4]);
        }
        "environ_get" | "fd_close" | "sched_yield" => {}
        "clock_time_get" => put(data, at(2), &[0; 8]),
        "clock_res_get" => put(data, at(1), &1_000_000u64.to_le_bytes()),
        "random_get" => data[at(0)..at(0) + at(1)].fill(7),
        "fd_prestat_get" => return Ok(BAD_DESCRIPTOR),
        "path_open" | "path_filestat_get" | "path_readlink" => return Ok(NO_ENTRY),
        // A stream of unknown type, with all rights.
        "fd_fdstat_get" if at(0) < 3 => {
            put(data, at(1), &[0; 24]);
            put(data, at(1) + 8, &[0xff; 16]);
        }
        "fd_filestat_get" if at(0) < 3 => put(data, at(1), &[0; 64]),
        "fd_read" if at(0) == 0 => put(data, at(3), &[0; 4]),
        "fd_write" if at(0) == 1 || at(0) == 2 => {
            let mut written = 0;
            for index in 0..at(2) {
                let (from, length) = (word(data, at(1) + 8 * index), word(data, at(1) + 8 * index + 4));
                state.output.extend(&data[from..from + length]);
                written += length;
            }
            put(data, at(3), &(written as u32).to_le_bytes());
        }
        "proc_exit" => return Err(Error::i32_exit(params[0] as i32)),
        name if name.starts_with("fd_") => return Ok(BAD_DESCRIPTOR),
        _ => return Ok(NOT_SUPPORTED),
    }
    Ok(0)
}
