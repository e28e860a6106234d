//! The memory of a core, and the core that every isolated sandbox begins with.

use std::sync::{Arc, OnceLock};

use super::guests::Frozen;
use super::instance::Instance;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::frames::Told;
use crate::limits::Limits;
use crate::module::Compiled;
use crate::slices::SLICE;

/// The bytes in which memories are compared and copied.
pub(super) const PAGE: usize = 1 << 12;

/// Depth of calls in the core. Each may use 1 KiB of the value stack on average.
const STACK_DEPTH: usize = 16 << 10;

/// What a core is at one time: its linear memory, without its pages of zeros, and its guests.
#[derive(Clone, Default)]
pub(super) struct Image {
    /// In bytes.
    pub(super) length: usize,
    /// By their number, in order.
    pub(super) pages: Vec<(u32, Box<[u8]>)>,
    pub(super) guests: Frozen,
}

impl Image {
    pub(super) fn new(memory: &[u8], guests: Frozen) -> Self {
        let pages = (0..).zip(memory.chunks(PAGE)).filter(|(_, page)| !is_zero(page));
        Self { length: memory.len(), pages: pages.map(|(number, page)| (number, page.into())).collect(), guests }
    }

    /// Writes the pages to a memory that is as long, and zero but for pages that this image has as well.
    pub(super) fn write(&self, memory: &mut [u8]) {
        for (number, page) in &self.pages {
            if let Some(place) = place(*number, memory) {
                place.copy_from_slice(page.get(..place.len()).unwrap_or_default());
            }
        }
    }
}

/// Returns a page of a memory, whose length is a multiple of it.
fn place(number: u32, memory: &mut [u8]) -> Option<&mut [u8]> {
    let start = usize::try_from(number).ok()?.checked_mul(PAGE)?;
    memory.get_mut(start..start.checked_add(PAGE)?)
}

/// Returns the bytes of a memory that the core names by their address.
pub(super) fn slice_mut(memory: &mut [u8], address: u32, length: u32) -> Option<&mut [u8]> {
    let start = usize::try_from(address).ok()?;
    memory.get_mut(start..start.checked_add(usize::try_from(length).ok()?)?)
}

pub(super) fn is_zero(page: &[u8]) -> bool {
    page.iter().all(|byte| *byte == 0)
}

/// The compiled core, and its memory once it has made what every script needs.
pub(super) struct Core {
    pub(super) engine: Engine,
    pub(super) compiled: Arc<Compiled>,
    pub(super) image: Image,
    /// The hash of the module.
    pub(super) hash: [u8; 32],
}

/// Made on first use, for all sandboxes of the process.
static CORE: OnceLock<Result<Core, Error>> = OnceLock::new();

/// Returns the core.
///
/// # Errors
///
/// If this build has none.
pub(super) fn core() -> Result<&'static Core, Error> {
    CORE.get_or_init(Core::new).as_ref().map_err(Error::copy)
}

impl Core {
    fn new() -> Result<Self, Error> {
        let module = wasmlark_core::module().ok_or_else(|| {
            Error::new(
                ErrorKind::Load,
                "this build cannot isolate scripts: it was made without the evaluator's module; in a clone of the \
                 repository, `cargo run -p wasmlark-make-core` makes it, and the next build has it",
            )
        })?;
        let module = module.map_err(|error| broken(&error.to_string()))?;
        let limits = Limits::new().stack_depth(STACK_DEPTH);
        let engine = Engine::for_command(limits, Some(SLICE), Told::Nothing);
        let compiled = engine.compile(&module, |_, _| Ok(()))?;
        let mut core = Self { engine, compiled, image: Image::default(), hash: *blake3::hash(&module).as_bytes() };
        core.image = Instance::warm(&core)?;
        Ok(core)
    }
}

/// The error for a core that is not what the host expects.
pub(super) fn broken(why: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("the module of the isolated evaluator is broken: {why}"))
}
