//! A function's code, with its new loops.

use wasm_encoder::{Encode, InstructionSink};

use super::places::Split;
use super::table;
use crate::module::skim::{Skim, code};

/// An open block.
struct Frame {
    /// Whether one of the new loops is open directly in it.
    is_open: bool,
    /// The number of new loops open around it.
    outside: usize,
}

/// Writes the code of a function with new loops. `None` for code that no valid function has.
pub(super) fn write(bytes: &[u8], splits: &[Split], out: &mut Vec<u8>) -> Option<()> {
    let mut splits = splits.iter();
    let mut split = splits.next();
    let mut skim = Skim::new(bytes);
    // The number of bytes already written.
    let mut written = 0usize;
    let mut frames = vec![Frame { is_open: false, outside: 0 }];
    // The number of new loops that are open.
    let mut open = 0usize;
    while skim.left() > 0 {
        let start = bytes.len().checked_sub(skim.left())?;
        let op = skim.next()?;
        let end = bytes.len().checked_sub(skim.left())?;
        match op.code {
            code::BLOCK | code::LOOP | code::IF => frames.push(Frame { is_open: false, outside: open }),
            code::ELSE | code::END => {
                let is_open = std::mem::take(&mut frames.last_mut()?.is_open);
                if op.code == code::END {
                    frames.pop();
                }
                if is_open {
                    open = open.checked_sub(1)?;
                    out.extend_from_slice(bytes.get(written..start)?);
                    InstructionSink::new(out).end();
                    written = start;
                }
            }
            code::BR | code::BR_IF if open > 0 => {
                out.extend_from_slice(bytes.get(written..start)?);
                let depth = deeper(&frames, open, u32::try_from(op.first).ok()?)?;
                let mut sink = InstructionSink::new(out);
                if op.code == code::BR {
                    sink.br(depth)
                } else {
                    sink.br_if(depth)
                };
                written = end;
            }
            code::BR_TABLE if open > 0 => {
                out.extend_from_slice(bytes.get(written..start)?);
                let mut depths = table::depths(bytes.get(start..end)?)?;
                for depth in &mut depths {
                    *depth = deeper(&frames, open, *depth)?;
                }
                let default = depths.pop()?;
                InstructionSink::new(out).br_table(depths, default);
                written = end;
            }
            _ => {}
        }
        if let Some(Split { ty, .. }) = split.filter(|split| split.at == end) {
            split = splits.next();
            out.extend_from_slice(bytes.get(written..end)?);
            written = end;
            if std::mem::replace(&mut frames.last_mut()?.is_open, true) {
                InstructionSink::new(out).end();
            } else {
                open = open.checked_add(1)?;
            }
            out.push(code::LOOP);
            ty.encode(out);
        }
    }
    out.extend_from_slice(bytes.get(written..)?);
    Some(())
}

/// Returns the depth of a branch once the open new loops that it leaves are counted.
fn deeper(frames: &[Frame], open: usize, depth: u32) -> Option<u32> {
    let target = frames.len().checked_sub(usize::try_from(depth).ok()?.checked_add(1)?)?;
    let crossed = open.checked_sub(frames.get(target)?.outside)?;
    depth.checked_add(u32::try_from(crossed).ok()?)
}
