//! What a sandbox gives to what it runs isolated.

use super::guests::Restoring;
use super::host::Host;
use super::instance::Allowance;
use super::message::Setup;
use crate::data::Channels;
use crate::error::Error;
use crate::files::SandboxFiles;
use crate::frames::{self, Told};
use crate::host::Grants;
use crate::interrupt::Interrupt;
use crate::limits::Limits;

/// The bytes that an evaluator's memory may grow by beside the limits.
const BESIDE: u64 = 16 << 20;

pub(crate) struct Terms<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) files: &'a SandboxFiles,
    pub(crate) channels: &'a Channels,
    pub(crate) grants: &'a Grants,
    pub(crate) told: Told,
    pub(crate) interrupt: &'a Interrupt,
}

impl Terms<'_> {
    pub(super) fn setup(&self, args: Vec<String>) -> Result<Setup, Error> {
        if self.grants.observer().is_some() || self.grants.coverage().is_some() {
            return Err(Error::value("an isolated sandbox has no observer and counts no coverage"));
        }
        let mut setup = Setup::new(self.limits);
        setup.args = args;
        setup.told = self.told;
        setup.is_writable = self.channels.is_writable;
        setup.has_stdin = self.channels.stdin.is_some();
        setup.has_progress = self.channels.progress.is_wanted();
        setup.grant(self.grants);
        Ok(setup)
    }

    pub(super) fn host(&self) -> Host {
        Host::new(self.files.clone(), self.channels.clone(), self.grants)
    }

    pub(super) fn allowance(&self) -> Allowance {
        let Limits { heap, memory, files, cost, table_elements, instances, stack_depth, .. } = self.limits;
        // The core does not count what it adds to modules that keep frames.
        let frames = match self.told {
            Told::Frames => u64::from(frames::pages(*stack_depth)) << 16,
            Told::Nothing | Told::Fuel => 0,
        };
        let instances = *instances as u64;
        let guests = Restoring {
            memory: memory.saturating_add(frames.saturating_mul(instances)),
            // A profile adds two to a table of each instance.
            elements: table_elements.saturating_add(instances.saturating_mul(2)),
            // The core itself keeps more for each.
            objects: *heap as u64 / 16,
            instances: *heap as u64,
        };
        let memory = (*heap as u64).saturating_add(*files).saturating_add(BESIDE);
        Allowance { cost: *cost, memory, guests }
    }
}
