//! Where a charge of fuel may begin: after a `br_if`, and after the `end` of a block from within which a branch goes
//! further out.
//!
//! The charge begins where the block next has no operands on the stack. There wasmi has nothing to
//! copy when a loop begins, so that the loop costs only its charge. Pieces of a few instructions
//! stay with the code before them until they add up.
//!
//! The code need not be valid. Wrapping part of it in a loop makes no invalid code valid: the loop is valid only if the part takes
//! nothing from the stack and leaves only the results of its block. The module is validated after it is rewritten.

use super::effect::effect;
use super::signatures::{BlockType, NOTHING, Signature, Signatures};
use super::table;
use crate::module::skim::{Skim, code};

/// A cost that is never worth a charge of its own.
const MAX_UNCHARGED: u32 = 2;

/// A place that gets a charge: a `loop` of this type opens there, after the `end` of the one before it in the sequence.
pub(super) struct Split {
    /// The offset in the code, after the instruction at which control may have left.
    pub(super) at: usize,
    pub(super) ty: BlockType,
}

/// A place where a charge may begin.
struct Place {
    at: usize,
    /// The place whose charge pays for this code if it gets none of its own; `None` for the
    /// enclosing loop, arm or function.
    payer: Option<usize>,
    /// The enclosing loop, arm or function, so that the unpaid pieces of each are counted separately.
    root: usize,
    /// The number of instructions that it pays for.
    cost: u32,
    /// The sequence of instructions that contains it: a block, or an arm of an `if`.
    sequence: usize,
    /// The results of that sequence.
    results: BlockType,
    /// Whether it is after an `end`. One branch may skip any number of such places, but only one after a `br_if`.
    is_end: bool,
    is_taken: bool,
}

/// An open block, as far as charges are concerned.
struct Open {
    root: usize,
    /// The place that pays for the code that follows.
    payer: Option<usize>,
    sequence: usize,
    signature: Signature,
    /// The number of operands below the block's own.
    base: isize,
    /// Whether the code here is unreachable.
    is_dead: bool,
    /// The outermost block targeted by a branch from here or from within, counted from the function.
    reaches: usize,
    /// Whether control may have left since the last place, and if so, whether the place is after an `end`.
    pending: Option<bool>,
}

/// Finds the places of a function.
#[derive(Default)]
struct Finder {
    frames: Vec<Open>,
    places: Vec<Place>,
    roots: usize,
    sequences: usize,
    /// The number of operands on the stack.
    height: isize,
    /// The number of instructions since the block changed or a place began.
    count: u32,
}

/// Returns the places in a function's code where charges begin, in order. `None` for code that no valid function has.
pub(super) fn places(bytes: &[u8], signature: Signature, signatures: &Signatures, short: u32) -> Option<Vec<Split>> {
    let function = Signature { params: 0, ..signature };
    let mut finder = Finder::default();
    finder.open(function, None, false)?;
    let mut skim = Skim::new(bytes);
    while skim.left() > 0 {
        let start = bytes.len().checked_sub(skim.left())?;
        let op = skim.next()?;
        let mut behind_end = None;
        match op.code {
            code::BLOCK | code::LOOP | code::IF => {
                finder.count = finder.count.saturating_add(u32::from(op.code == code::IF));
                finder.settle();
                finder.height = finder.height.checked_sub(isize::from(op.code == code::IF))?;
                let signature = signatures.block(op.first)?;
                let outer = finder.frames.last()?;
                let shared = (op.code == code::BLOCK).then_some((outer.root, outer.payer));
                let is_dead = outer.is_dead;
                finder.open(signature, shared, is_dead)?;
            }
            code::ELSE => finder.alternative()?,
            code::END => {
                behind_end = finder.close()?;
                if finder.frames.is_empty() {
                    break;
                }
            }
            code::BR | code::BR_IF => {
                finder.count = finder.count.saturating_add(1);
                finder.reach(op.first)?;
                if op.code == code::BR {
                    finder.die()?;
                } else {
                    finder.height = finder.height.checked_sub(1)?;
                    behind_end = Some(false);
                }
            }
            code::BR_TABLE => {
                finder.count = finder.count.saturating_add(1);
                for depth in table::depths(bytes.get(start..)?)? {
                    finder.reach(i64::from(depth))?;
                }
                finder.die()?;
            }
            code::RETURN | code::RETURN_CALL | code::RETURN_CALL_INDIRECT => {
                finder.count = finder.count.saturating_add(1);
                finder.frames.last_mut()?.reaches = 0;
                finder.die()?;
            }
            // Traps, and so skips nothing.
            code::UNREACHABLE => finder.die()?,
            code::CALL => finder.call(signatures.function(op.first)?)?,
            code::CALL_INDIRECT => {
                finder.height = finder.height.checked_sub(1)?;
                finder.call(signatures.indexed(op.first)?)?;
            }
            _ => {
                finder.count = finder.count.saturating_add(1);
                finder.height = finder.height.checked_add(effect(op, bytes.get(start..)?)?)?;
            }
        }
        finder.place(behind_end, bytes.len().checked_sub(skim.left())?)?;
    }
    if skim.left() > 0 || !finder.frames.is_empty() {
        return None;
    }
    take(&mut finder.places, short, finder.roots, finder.sequences)
}

impl Finder {
    /// Adds the instructions since the last call to the place that pays for them.
    fn settle(&mut self) {
        let count = std::mem::take(&mut self.count);
        let payer = self.frames.last().and_then(|frame| frame.payer);
        if let Some(place) = payer.and_then(|payer| self.places.get_mut(payer)) {
            place.cost = place.cost.saturating_add(count);
        }
    }

    /// Opens a block, which shares a charge or begins one.
    fn open(&mut self, signature: Signature, shared: Option<(usize, Option<usize>)>, is_dead: bool) -> Option<()> {
        let (root, payer) = shared.unwrap_or((self.roots, None));
        self.roots = self.roots.checked_add(usize::from(shared.is_none()))?;
        let base = self.height.checked_sub_unsigned(signature.params)?;
        let sequence = self.sequences;
        self.sequences = sequence.checked_add(1)?;
        let frame = Open { root, payer, sequence, signature, base, is_dead, reaches: usize::MAX, pending: None };
        self.frames.push(frame);
        Some(())
    }

    fn alternative(&mut self) -> Option<()> {
        self.settle();
        let outer = self.frames.len().checked_sub(2)?;
        let is_dead = self.frames.get(outer)?.is_dead;
        let frame = self.frames.last_mut()?;
        (frame.root, frame.payer, frame.sequence) = (self.roots, None, self.sequences);
        (frame.pending, frame.is_dead) = (None, is_dead);
        self.height = frame.base.checked_add_unsigned(frame.signature.params)?;
        self.roots = self.roots.checked_add(1)?;
        self.sequences = self.sequences.checked_add(1)?;
        Some(())
    }

    /// Closes a block. Returns `Some(true)` if a branch from within it may have gone further out.
    fn close(&mut self) -> Option<Option<bool>> {
        self.settle();
        let frame = self.frames.pop()?;
        self.height = frame.base.checked_add_unsigned(frame.signature.results)?;
        let top = self.frames.len();
        if let Some(outer) = self.frames.last_mut() {
            outer.reaches = outer.reaches.min(frame.reaches);
        }
        Some((frame.reaches < top).then_some(true))
    }

    fn reach(&mut self, depth: i64) -> Option<()> {
        let depth = usize::try_from(depth).ok()?;
        let target = self.frames.len().checked_sub(1)?.checked_sub(depth)?;
        let frame = self.frames.last_mut()?;
        frame.reaches = frame.reaches.min(target);
        Some(())
    }

    fn die(&mut self) -> Option<()> {
        let frame = self.frames.last_mut()?;
        frame.is_dead = true;
        Some(())
    }

    fn call(&mut self, signature: Signature) -> Option<()> {
        self.count = self.count.saturating_add(1);
        self.height = self.height.checked_sub_unsigned(signature.params)?.checked_add_unsigned(signature.results)?;
        Some(())
    }

    /// Begins a place after an instruction, if one is allowed there.
    #[inline(always)]
    fn place(&mut self, left: Option<bool>, at: usize) -> Option<()> {
        let frame = self.frames.last_mut()?;
        if let Some(is_end) = left {
            frame.pending = Some(is_end || frame.pending == Some(true));
        }
        let Some(is_end) = frame.pending else { return Some(()) };
        if frame.is_dead {
            frame.pending = None;
        } else if let (Some(results), true) = (frame.signature.block, self.height == frame.base) {
            frame.pending = None;
            self.settle();
            let next = self.places.len();
            let frame = self.frames.last_mut()?;
            let payer = frame.payer.replace(next);
            let (root, sequence) = (frame.root, frame.sequence);
            self.places.push(Place { at, payer, root, cost: 0, sequence, results, is_end, is_taken: false });
        }
        Some(())
    }
}

/// Selects the places whose code is long enough.
fn take(places: &mut [Place], short: u32, roots: usize, sequences: usize) -> Option<Vec<Split>> {
    // Backwards, since the cost of later places is added to earlier ones.
    for index in (0..places.len()).rev() {
        let place = places.get_mut(index)?;
        if place.is_end {
            continue;
        }
        place.is_taken = place.cost > short;
        let (is_taken, cost, payer) = (place.is_taken, place.cost, place.payer);
        if let (false, Some(payer)) = (is_taken, payer.and_then(|payer| places.get_mut(payer))) {
            payer.cost = payer.cost.saturating_add(cost);
        }
    }
    // The cost that places without a charge leave to others.
    let mut left_to_root = vec![0u32; roots.checked_add(1)?];
    let mut left_to_place = vec![0u32; places.len()];
    for index in 0..places.len() {
        let place = places.get(index)?;
        if !place.is_end {
            continue;
        }
        let (cost, root) = (place.cost, place.root);
        let mut payer = place.payer;
        while let Some(above) = payer.and_then(|index| places.get(index)).filter(|above| !above.is_taken) {
            payer = above.payer;
        }
        let left = match payer {
            Some(payer) => left_to_place.get_mut(payer)?,
            None => left_to_root.get_mut(root)?,
        };
        let sum = left.saturating_add(cost);
        if sum > short && cost > MAX_UNCHARGED.min(short) {
            places.get_mut(index)?.is_taken = true;
        } else {
            *left = sum;
        }
    }
    let mut has_later = vec![false; sequences.checked_add(1)?];
    let mut splits = Vec::new();
    for place in places.iter().rev().filter(|place| place.is_taken) {
        let is_last = !std::mem::replace(has_later.get_mut(place.sequence)?, true);
        splits.push(Split { at: place.at, ty: if is_last { place.results } else { NOTHING } });
    }
    splits.reverse();
    Some(splits)
}
