//! The engine that a sandbox keeps from run to run, with what it compiled.

use std::sync::PoisonError;

use super::Sandbox;
use crate::engine::Engine;
use crate::slices::SLICE;

/// Bytes of compiled code, counted as the limit `heap` counts them, up to which a sandbox keeps them for its next
/// run. A script may make modules of its own without end.
const MAX_KEPT_CODE: u64 = 256 << 20;

/// The bound that an application may set in place of that.
pub(super) struct MaxKeptCode(pub(super) u64);

impl Default for MaxKeptCode {
    fn default() -> Self {
        Self(MAX_KEPT_CODE)
    }
}

impl Sandbox {
    pub(super) fn granting_engine(&self) -> Engine {
        self.engine().with_grants(self.grants.clone())
    }

    /// The engine of the last run, unless it was made for other limits or holds too much.
    fn engine(&self) -> Engine {
        let mut kept = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let slice = self.slice();
        match &*kept {
            Some(engine)
                if *engine.limits() == self.limits
                    && engine.slice() == slice
                    && engine.told() == self.told
                    && engine.code() <= self.max_kept_code.0 =>
            {
                engine.clone()
            }
            _ => kept.insert(self.new_engine()).clone(),
        }
    }

    fn slice(&self) -> Option<u64> {
        self.is_interruptible.then_some(SLICE)
    }

    fn new_engine(&self) -> Engine {
        Engine::for_sandbox(self.limits.clone(), self.slice(), self.told, self.files.clone())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    /// Runs a script that compiles `module.wasm`; whether the sandbox has, after that, the engine it had before.
    fn keeps_its_engine(sandbox: &Sandbox) -> bool {
        let engine = sandbox.engine().wasmi().clone();
        sandbox.run("main.star", "wasm.Module('module.wasm')").unwrap();
        wasmi::Engine::same(&engine, sandbox.engine().wasmi())
    }

    /// A module of a custom section, `size` bytes in all but for some.
    fn module(size: u32) -> Vec<u8> {
        // The number takes five bytes, whatever it is.
        let length = [0, 7, 14, 21, 28].map(|shift| (size >> shift) as u8 & 0x7f | if shift < 28 { 0x80 } else { 0 });
        [b"\0asm\x01\0\0\0\0", length.as_slice(), &vec![0; size as usize]].concat()
    }

    #[test]
    fn what_was_compiled_serves_the_next_run() {
        let mut sandbox = Sandbox::new();
        sandbox.file("module.wasm", module(1000));
        assert!(keeps_its_engine(&sandbox));
        let code = sandbox.engine().code();
        let again = sandbox.report("main.star", "wasm.Module('module.wasm')");
        assert_eq!(sandbox.engine().code(), code, "compiled once");
        assert_eq!(again.result.unwrap().to_string(), "<wasm.Module>");
    }

    #[test]
    fn other_limits_are_another_engine() {
        let mut sandbox = Sandbox::new();
        sandbox.file("module.wasm", module(1000));
        let engine = sandbox.engine().wasmi().clone();
        let sandbox = sandbox.limits(Limits::new().fuel(None));
        assert!(!wasmi::Engine::same(&engine, sandbox.engine().wasmi()));
        assert!(keeps_its_engine(&sandbox));
    }

    #[test]
    fn too_much_code_is_not_kept() {
        let mut sandbox = Sandbox::new();
        sandbox.file("module.wasm", module(33 << 20));
        assert!(!keeps_its_engine(&sandbox));
    }

    #[test]
    fn the_bound_on_kept_code_can_be_set() {
        for (bound, keeps) in [(0, false), (1 << 20, true)] {
            let mut sandbox = Sandbox::new().max_kept_code(bound);
            sandbox.file("module.wasm", module(1000));
            assert_eq!(keeps_its_engine(&sandbox), keeps, "{bound}");
        }
    }

    /// No more code than the bound and one run's is alive at a time, and none once the sandbox and its sessions are gone.
    #[test]
    fn code_is_freed_with_the_last_session_that_uses_it() {
        let mut sandbox = Sandbox::new().max_kept_code(40_000);
        let mut engines = Vec::new();
        let alive = |engines: &[crate::engine::Watch]| engines.iter().filter(|engine| engine.is_alive()).count();
        let mut kept = Vec::new();
        for n in 0..100 {
            sandbox.file("module.wasm", module(1000 + n));
            let session = sandbox.load("main.star", "module = wasm.Module('module.wasm')").unwrap();
            engines.push(sandbox.engine().watch());
            if n == 10 {
                kept.push(session);
            }
        }
        // Those of one engine are the same: the last, and the kept session's.
        engines.dedup_by(|a, b| a.is_same(b));
        assert!(engines.len() > 15, "{}", engines.len());
        assert_eq!(alive(&engines), 2);
        drop(kept);
        assert_eq!(alive(&engines), 1);
        drop(sandbox);
        assert_eq!(alive(&engines), 0);
    }

    #[test]
    fn invalid_modules_count_too() {
        let mut sandbox = Sandbox::new();
        sandbox.file("module.wasm", [module(1000), vec![0xff]].concat());
        sandbox.run("main.star", "wasm.Module('module.wasm')").unwrap_err();
        assert!(sandbox.engine().code() > 8000);
    }

    #[test]
    fn a_file_is_what_it_was_last_set_to() {
        let mut sandbox = Sandbox::new();
        for value in ["1", "2"] {
            sandbox.file("value.star", format!("value = {value}"));
            let run = sandbox.run("main.star", "load('value.star', 'value')\nvalue").unwrap();
            assert_eq!(run.value.to_string(), value);
        }
    }

    #[test]
    fn a_run_costs_what_it_cost_before() {
        let mut sandbox = Sandbox::new();
        sandbox.file("module.wasm", module(1000));
        let script = "wasm.Module('module.wasm')\nwasm.instantiate('module.wasm')\nwasm.Memory(1).grow(1)";
        let runs = [(); 3].map(|()| sandbox.run("main.star", script).unwrap());
        assert_eq!(runs[0], runs[1]);
        assert_eq!(runs[0], runs[2]);
    }
}
