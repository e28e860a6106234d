//! What the stores of a script and of the files that it loads use, checked against the limits.

#[cfg(feature = "core")]
pub(crate) mod held;
mod limiter;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) use self::limiter::{Limiter, MemoryRoom, denied};
use crate::error::{Error, Limit};
use crate::fuel::FuelAccount;
use crate::limits::Limits;
use crate::profile::SharedProfile;
use crate::progress::{Progress, SeenTicks};
use crate::ticks::TickMeter;

/// Identifies a module: the hash of its bytes.
pub(crate) type ModuleHash = [u8; 32];

/// What all stores use together.
#[derive(Debug, Clone)]
struct Usage {
    fuel: FuelAccount,
    /// The fuel that guests have used since the last settlement, as far as their slices show it.
    fuel_unsettled: u64,
    /// The running call's limit on fuel, if less than that would be left otherwise.
    call_fuel: Option<u64>,
    memory: u64,
    memory_peak: u64,
    table_elements: u64,
    instances: usize,
    /// The bytes of the files and of the kept output of WASI machines.
    files: u64,
    output: u64,
    /// The modules that the run has compiled or found compiled, and the bytes of their code.
    modules: BTreeSet<ModuleHash>,
    code: u64,
}

/// What stores and WASI machines use at one time.
pub(crate) struct Snapshot {
    memory: u64,
    table_elements: u64,
    instances: usize,
    files: u64,
    output: u64,
}

/// The shared budget of fuel, memory, tables and instances.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    usage: Arc<Mutex<Usage>>,
    /// The ticks of the running evaluator.
    pub(crate) ticks: TickMeter,
    progress: Progress,
    pub(crate) seen_ticks: SeenTicks,
    files_limit: u64,
    output_limit: u64,
    heap_limit: u64,
    /// What the fuel was spent on, if that is asked for.
    profile: Option<SharedProfile>,
}

impl Budget {
    /// Makes a budget of everything that `limits` allow.
    pub(crate) fn new(limits: &Limits) -> Self {
        let usage = Usage {
            fuel: FuelAccount::new(limits.fuel),
            fuel_unsettled: 0,
            call_fuel: None,
            memory: 0,
            memory_peak: 0,
            table_elements: 0,
            instances: 0,
            files: 0,
            output: 0,
            modules: BTreeSet::new(),
            code: 0,
        };
        Self {
            usage: Arc::new(Mutex::new(usage)),
            ticks: TickMeter::new(limits.ticks),
            progress: Progress::default(),
            seen_ticks: SeenTicks::default(),
            files_limit: limits.files,
            output_limit: limits.output as u64,
            heap_limit: limits.heap as u64,
            profile: None,
        }
    }

    /// Sets who is told what has been used.
    pub(crate) fn with_progress(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// Adds a profile of the fuel.
    pub(crate) fn with_profile(mut self) -> Self {
        self.profile = Some(SharedProfile::new());
        self
    }

    /// Returns the profile, if there is one.
    pub(crate) fn profile(&self) -> Option<&SharedProfile> {
        self.profile.as_ref()
    }

    /// Returns a separate budget that begins with what has been used of this one, and has `ticks` left.
    pub(crate) fn fork(&self, ticks: u64) -> Self {
        Self {
            usage: Arc::new(Mutex::new(self.usage().clone())),
            ticks: TickMeter::new(ticks),
            profile: self.profile.as_ref().map(SharedProfile::fork),
            progress: self.progress.clone(),
            seen_ticks: SeenTicks::default(),
            ..*self
        }
    }

    /// Returns the fuel left for all stores together, as of the last settlement.
    pub(crate) fn fuel_left(&self) -> u64 {
        self.usage().fuel.left()
    }

    /// Returns the fuel that all stores have used together, as of the last settlement; `None` if it is not metered.
    pub(crate) fn fuel_used(&self) -> Option<u64> {
        self.usage().fuel.used()
    }

    pub(crate) fn spend_fuel(&self, fuel: u64) {
        let mut usage = self.usage();
        usage.fuel.spend(fuel);
        usage.fuel_unsettled = 0;
    }

    /// Notes that a guest has spent a slice of fuel, and reports it.
    #[cfg_attr(feature = "core", allow(dead_code))] // The host's slices are those of the core's guests.
    pub(crate) fn pass_slice(&self, fuel: u64) {
        if self.progress.is_wanted() {
            let mut usage = self.usage();
            usage.fuel_unsettled = usage.fuel_unsettled.saturating_add(fuel);
            drop(usage);
            self.report_progress();
        }
    }

    /// Tells the application what has been used, if it asks.
    pub(crate) fn report_progress(&self) {
        if self.progress.is_wanted() {
            let usage = self.usage();
            let fuel = usage.fuel.used().map(|used| used.saturating_add(usage.fuel_unsettled));
            let memory_peak = usage.memory_peak;
            drop(usage);
            self.progress.report(fuel, self.seen_ticks.get(), memory_peak);
        }
    }

    /// Limits the fuel that is left to `fuel`, for a call.
    pub(crate) fn begin_call(&self, fuel: u64) {
        let mut usage = self.usage();
        usage.call_fuel = usage.fuel.set_aside(fuel).then_some(fuel);
    }

    /// Lifts the limit of a call.
    pub(crate) fn end_call(&self) {
        let mut usage = self.usage();
        usage.call_fuel = None;
        usage.fuel.put_back();
    }

    /// Makes all fuel that the limit allows available again.
    pub(crate) fn refill_fuel(&self) {
        self.usage().fuel.refill();
    }

    /// Returns the running call's limit on fuel, if less than that would be left otherwise.
    pub(crate) fn call_fuel(&self) -> Option<u64> {
        self.usage().call_fuel
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        // A poisoned budget is still correct: each update is a plain assignment.
        self.usage.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Returns the bytes of linear memory in use.
    pub(crate) fn memory(&self) -> u64 {
        self.usage().memory
    }

    /// Returns the largest number of bytes of linear memory that were in use at once.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.usage().memory_peak
    }

    /// Takes bytes for the files of a WASI machine. Returns whether that many were left.
    pub(crate) fn take_files(&self, bytes: u64) -> bool {
        let mut usage = self.usage();
        let wanted = usage.files.saturating_add(bytes);
        let fits = wanted <= self.files_limit;
        if fits {
            usage.files = wanted;
            #[cfg(feature = "core")]
            held::note(wanted);
        }
        fits
    }

    /// Returns whether that many bytes are left for files.
    pub(crate) fn has_files(&self, bytes: u64) -> bool {
        self.usage().files.saturating_add(bytes) <= self.files_limit
    }

    /// Gives back bytes that were taken for files.
    pub(crate) fn give_files(&self, bytes: u64) {
        let mut usage = self.usage();
        usage.files = usage.files.saturating_sub(bytes);
    }

    pub(crate) fn files_limit(&self) -> u64 {
        self.files_limit
    }

    /// Takes bytes for the output of a WASI machine. Returns the limit as an error if it is passed.
    pub(crate) fn take_output(&self, bytes: u64) -> Result<(), u64> {
        let mut usage = self.usage();
        let wanted = usage.output.saturating_add(bytes);
        if wanted > self.output_limit {
            return Err(self.output_limit);
        }
        usage.output = wanted;
        Ok(())
    }

    /// Counts the code of a module against the limit `heap`, once for each module, whether or not the engine had compiled it
    /// already: that must make no difference to a script. An engine never frees code, so none is given back.
    pub(crate) fn add_code(&self, module: ModuleHash, code: u64) -> Result<(), Error> {
        let mut usage = self.usage();
        if usage.modules.contains(&module) {
            return Ok(());
        }
        let code = usage.code.saturating_add(code);
        if code > self.heap_limit {
            let limit = self.heap_limit;
            let message = format!(
                "the compiled code of all modules, about {code} bytes, is too much: the sandbox's limit `heap` is {limit} bytes"
            );
            return Err(Error::limit(Limit::Heap, message));
        }
        usage.modules.insert(module);
        usage.code = code;
        Ok(())
    }

    /// Returns what is in use now, except for fuel.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let usage = self.usage();
        let Usage { memory, table_elements, instances, files, output, .. } = *usage;
        Snapshot { memory, table_elements, instances, files, output }
    }

    /// Gives back what an evaluation that has ended took and did not close.
    pub(crate) fn restore(&self, snapshot: Snapshot) {
        let mut usage = self.usage();
        let Snapshot { memory, table_elements, instances, files, output } = snapshot;
        usage.memory = memory;
        usage.table_elements = table_elements;
        usage.instances = instances;
        usage.files = files;
        usage.output = output;
    }

    /// Counts one more instance, unless the limit is reached.
    pub(crate) fn add_instance(&self, limits: &Limits) -> Result<(), Error> {
        let mut usage = self.usage();
        if usage.instances >= limits.instances {
            return Err(Error::limit(
                Limit::Instances,
                format!("the sandbox allows {} instances and stores at a time (limit `instances`)", limits.instances),
            ));
        }
        usage.instances += 1;
        Ok(())
    }
}
