//! A session whose evaluation is in a core.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::host::Host;
use super::image::{Image, core};
use super::instance::{Allowance, Instance};
use super::message::{Order, Outcome, Script};
use super::prepared::Prepared;
use super::saved;
use super::terms::Terms;
use crate::data::Data;
use crate::error::{Error, ErrorKind};
use crate::interrupt::{Interrupt, Stop};
use crate::profile::Profile;
use crate::session::{Answer, Elsewhere, Request, Session, Stats};
use crate::slices::stopped;
use crate::value::Value;

/// An isolated session.
pub(crate) struct Remote {
    /// `None` once it has ended. To know whether a guest has dropped a segment, code of it must run: so a saved session is
    /// locked.
    instance: Mutex<Option<Instance>>,
    /// What must be there where it is restored.
    needs: saved::Needs,
    data: Data,
    /// What the script wrote, until it is taken.
    files: BTreeMap<String, Vec<u8>>,
    /// What the application gets to stop the session.
    interrupt: Interrupt,
    /// Stops the call that runs now, and has its deadline.
    call_interrupt: Interrupt,
    stats: Stats,
    /// The fuel that was spent before the core had what it has now.
    cost_before: u64,
    profile: Option<Profile>,
}

impl Remote {
    /// Runs a script. Returns the session with the value of the script's last statement, or with its error.
    pub(crate) fn start(
        terms: &Terms<'_>,
        name: &str,
        script: &str,
        args: Vec<String>,
    ) -> (Self, Result<Value, Error>) {
        let script = Script { name: name.to_owned(), text: script.to_owned() };
        let began = terms.setup(args).and_then(|setup| {
            let mut new = Self::new(terms, saved::Needs::of(&setup), &core()?.image, terms.host())?;
            let result = new.carry_out(&Order::Run { setup, script }, None);
            Ok((new, result))
        });
        match began {
            Ok((new, result)) => (new, result.map(Answer::into_value)),
            Err(error) => (Self::never(terms), Err(reported(error))),
        }
    }

    /// Parses a script and evaluates what it loads.
    pub(crate) fn prepare(terms: &Terms<'_>, name: &str, script: &str, args: Vec<String>) -> Result<Prepared, Error> {
        let script = Script { name: name.to_owned(), text: script.to_owned() };
        let setup = terms.setup(args)?;
        let mut new = Self::new(terms, saved::Needs::of(&setup), &core()?.image, terms.host())?;
        let answer = new.carry_out(&Order::Prepare { setup, script }, None)?;
        Prepared::new(&new, name, &answer.into_value())
    }

    fn new(terms: &Terms<'_>, needs: saved::Needs, image: &Image, host: Host) -> Result<Self, Error> {
        Self::with(terms.interrupt, terms.allowance(), needs, image, host)
    }

    pub(super) fn with(
        outer: &Interrupt,
        allowance: Allowance,
        needs: saved::Needs,
        image: &Image,
        host: Host,
    ) -> Result<Self, Error> {
        let interrupt = outer.inner();
        let call_interrupt = interrupt.inner();
        let data = host.data.clone();
        let instance = Mutex::new(Some(Instance::new(core()?, image, host, allowance, &call_interrupt)?));
        Ok(Self {
            instance,
            needs,
            data,
            files: BTreeMap::new(),
            interrupt,
            call_interrupt,
            stats: Stats::default(),
            cost_before: 0,
            profile: None,
        })
    }

    /// A session that could not begin.
    fn never(terms: &Terms<'_>) -> Self {
        let interrupt = terms.interrupt.inner();
        Self {
            instance: Mutex::default(),
            needs: saved::Needs::default(),
            data: Data::unlimited(terms.channels.clone()),
            files: BTreeMap::new(),
            call_interrupt: interrupt.inner(),
            interrupt,
            stats: Stats::default(),
            cost_before: 0,
            profile: None,
        }
    }

    /// Goes on from bytes that [`save`](Self::save) returned.
    pub(crate) fn restore(terms: &Terms<'_>, bytes: &[u8]) -> Result<Self, Error> {
        let (core, needs) = (core()?, saved::Needs::of(&terms.setup(Vec::new())?));
        let saved = saved::Saved::parse(bytes, core, &needs)?;
        let mut new = Self::new(terms, needs, &saved.image(core)?, terms.host())?;
        new.continue_from(saved.stats, saved.spent);
        Ok(new)
    }

    /// Returns what it is now.
    pub(super) fn branch(&self) -> Result<Branch, Error> {
        let mut instance = self.instance.lock().unwrap_or_else(PoisonError::into_inner);
        let instance = instance.as_mut().ok_or_else(ended)?;
        Ok(Branch {
            image: instance.image()?,
            host: instance.host().cloned().ok_or_else(ended)?,
            allowance: instance.allowance(),
            needs: self.needs.clone(),
            outer: self.interrupt.outer(),
            stats: self.stats,
            spent: instance.spent(),
            profile: self.profile.clone(),
        })
    }

    fn continue_from(&mut self, stats: Stats, spent: u64) {
        self.stats = stats;
        self.cost_before = stats.cost.unwrap_or_default().saturating_sub(spent);
        if let Some(instance) = inside(&mut self.instance) {
            instance.set_spent(spent);
        }
    }

    fn refill(&mut self) {
        if let Some(instance) = inside(&mut self.instance) {
            self.cost_before = self.cost_before.saturating_add(instance.spent());
            instance.set_spent(0);
        }
    }

    pub(super) fn carry_out(&mut self, order: &Order, deadline: Option<std::time::Duration>) -> Result<Answer, Error> {
        let instance = inside(&mut self.instance).as_mut().ok_or_else(ended)?;
        self.call_interrupt.set_deadline(deadline);
        let outcome = instance.exchange(order);
        self.call_interrupt.set_deadline(None);
        self.call_interrupt.take_told();
        self.stats.cost = Some(self.cost_before.saturating_add(instance.spent()));
        let stop = instance.stop();
        let result = match outcome {
            Ok(Outcome { result, stats, profile, files }) => {
                self.stats = Stats { cost: self.stats.cost, ..stats };
                self.profile = profile.map(Profile::of_records);
                self.files.extend(files.into_iter().map(|(name, content)| (name, content.into_vec())));
                result.map_err(|fault| fault.into_error(|number| instance.source(number)))
            }
            Err(error) => {
                self.cost_before = self.stats.cost.unwrap_or_default();
                *inside(&mut self.instance) = None;
                Err(reported(error))
            }
        };
        let result = result.map_err(|error| at_deadline(error, stop));
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {
            self.interrupt.clear();
        }
        result
    }
}

impl Elsewhere for Remote {
    fn ask(&mut self, mut request: Request) -> Result<Answer, Error> {
        // There is no clock in the core.
        let deadline = match &mut request {
            Request::Call(call) => call.limits.deadline.take(),
            _ => None,
        };
        if matches!(request, Request::Refill) {
            self.refill();
        }
        self.carry_out(&Order::Ask(request), deadline)
    }

    fn take_files(&mut self) -> BTreeMap<String, Vec<u8>> {
        std::mem::take(&mut self.files)
    }

    fn save(&self) -> Result<Vec<u8>, Error> {
        let mut instance = self.instance.lock().unwrap_or_else(PoisonError::into_inner);
        let instance = instance.as_mut().ok_or_else(ended)?;
        let (core, spent, image) = (core()?, instance.spent(), instance.image()?);
        saved::Saved::new(core, &image, self.needs.clone(), self.stats, spent).to_bytes()
    }

    fn fork(&self) -> Result<Session, Error> {
        self.branch()?.take().map(Session::isolated)
    }

    fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    fn data(&self) -> &Data {
        &self.data
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    fn profile(&self) -> Option<Profile> {
        self.profile.clone()
    }
}

/// A session as it was at one time, from which others go on.
pub(super) struct Branch {
    image: Image,
    host: Host,
    allowance: Allowance,
    needs: saved::Needs,
    /// What stops more than one session.
    outer: Interrupt,
    stats: Stats,
    spent: u64,
    profile: Option<Profile>,
}

impl Branch {
    /// Makes a session that goes on from it.
    pub(super) fn take(&self) -> Result<Remote, Error> {
        let mut new = Remote::with(&self.outer, self.allowance, self.needs.clone(), &self.image, self.host.fork())?;
        new.continue_from(self.stats, self.spent);
        new.profile = self.profile.clone();
        Ok(new)
    }
}

fn inside(instance: &mut Mutex<Option<Instance>>) -> &mut Option<Instance> {
    instance.get_mut().unwrap_or_else(PoisonError::into_inner)
}

/// Gives an error that has no place in a script the report of one.
fn reported(error: Error) -> Error {
    let report = format!("error: {}\n", error.message());
    error.with_report(None, report)
}

fn ended() -> Error {
    Error::new(ErrorKind::Script, "the session has ended: a fault or a limit ended what ran in it")
}

/// In the core, a deadline is an interrupt: only the host has a clock.
fn at_deadline(error: Error, stop: Option<Stop>) -> Error {
    match stop {
        Some(stop @ (Stop::Deadline(_) | Stop::NoClock)) if error.kind() == ErrorKind::Interrupted => {
            error.retold(&stopped(stop))
        }
        _ => error,
    }
}
