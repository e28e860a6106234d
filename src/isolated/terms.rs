//! What a sandbox gives to what it runs isolated.

use super::host::Host;
use super::instance::Allowance;
use super::message::Setup;
use crate::data::Channels;
use crate::error::Error;
use crate::files::SandboxFiles;
use crate::frames::Told;
use crate::host::Grants;
use crate::interrupt::Interrupt;
use crate::limits::Limits;

pub(crate) struct Terms<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) files: &'a SandboxFiles,
    pub(crate) channels: &'a Channels,
    pub(crate) grants: &'a Grants,
    pub(crate) is_interruptible: bool,
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
        setup.is_interruptible = self.is_interruptible;
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
        let Limits { heap, memory, files, cost, .. } = self.limits;
        Allowance { cost: *cost, memory: memory.saturating_add(*heap as u64).saturating_add(*files) }
    }
}
