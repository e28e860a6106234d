//! `wasm.Memory`: a linear memory.

mod array;
mod bytes;
mod number;
mod number_type;
mod pack;
mod range;
mod text;

use starlark::any::ProvidesStaticType;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::starlark_complex_value;
use starlark::values::bytes::StarlarkBytes;
use starlark::values::{Heap, StarlarkValue, Value, ValueLike, ValueOfUnchecked, starlark_value};
use wasmi::AsContextMut;

use self::range::{check_range, out_of_range};
use super::fuel::pay;
use super::handle::handle;
use super::identity::are_same;
use super::store_ref::{LiveStore, StoreRef};
use crate::api::convert;
use crate::budget;
use crate::error::Error;
use crate::fuel::BYTES_PER_FUEL;
use crate::linear_memory::LinearMemory;
use crate::module::clip_memory_maximum;

/// The bytes of a page. wasmi runs without the custom-page-sizes proposal.
pub(crate) const PAGE: u64 = 1 << 16;

/// A parameter that the type checker sees as an `int`. Code checks it by hand, so that each error says what is wrong.
pub(crate) type Int<'v> = ValueOfUnchecked<'v, i64>;

handle! { MemoryGen as Memory { memory: wasmi::Memory } prints "<wasm.Memory>" }

impl<'v> Memory<'v> {
    /// Makes a memory for a script.
    pub(crate) fn make(
        store: Value<'v>,
        initial: Value<'v>,
        maximum: Option<Value<'v>>,
        is_64: bool,
    ) -> Result<Self, Error> {
        let store = LiveStore::new(store)?;
        let initial = convert::size(initial, "initial")?;
        let maximum = maximum.map(|m| convert::size(m, "maximum")).transpose()?;
        let most = if is_64 { 1 << 48 } else { 1 << 16 };
        if let Some(bad) = Some(initial).into_iter().chain(maximum).find(|pages| *pages > most) {
            return Err(Error::value(format!("a memory may have at most {most} pages, got {bad}")));
        }
        if let Some(maximum) = maximum.filter(|m| *m < initial) {
            return Err(Error::value(format!("`maximum` ({maximum} pages) is less than `initial` ({initial} pages)")));
        }
        let mut ty = wasmi::MemoryType::builder();
        ty.memory64(is_64).min(initial).max(maximum.map(clip_memory_maximum));
        let ty = ty.build().map_err(|e| Error::value(e.to_string()))?;
        // Checked before wasmi asks the limiter, since the host may not be able to count a size so large.
        let bytes = initial.saturating_mul(PAGE);
        if bytes > store.memory_room()?.left {
            return Err(store.no_memory("a new memory", bytes));
        }
        let made = store.with(|context| wasmi::Memory::new(context, ty))?;
        let memory = made.map_err(|error| match budget::denied(&error) {
            Some(_) => store.no_memory("a new memory", bytes),
            None => Error::value(format!("cannot make a memory of {initial} pages: {error}")),
        })?;
        Ok(Self { owner: store.to_ref(), memory })
    }

    /// Passes the memory to `f`, at no cost to the script. Inlined, because returning the result of a short read through
    /// memory costs as much as the read.
    #[inline(always)]
    fn data<R>(&self, f: impl FnOnce(LiveStore<'v>, LinearMemory<'_>) -> Result<R, Error>) -> Result<R, Error> {
        let store = self.owner.store()?;
        store.with(|mut context| f(store, LinearMemory::new(self.memory, &mut context)))?
    }

    /// Passes the `length` bytes at `offset` to `f`, for reading.
    #[inline]
    fn read_range<R>(&self, offset: u64, length: u64, f: impl FnOnce(&[u8]) -> R) -> Result<R, Error> {
        self.access(length, |_, data| match data.read(offset, length, f) {
            Some(done) => Ok(done),
            None => Err(out_of_range("read", offset, length, data.size())),
        })
    }

    /// Passes the `length` bytes at `offset` to `f` and charges `cost` bytes to the script's heap.
    #[inline]
    fn copy_range<R>(&self, offset: u64, length: u64, cost: u64, f: impl FnOnce(&[u8]) -> R) -> Result<R, Error> {
        self.access(length, |store, data| {
            let charge = || store.evaluation.as_ref().copy_out(cost);
            data.take(offset, length, charge, f, |size| out_of_range("read", offset, length, size))
        })
    }

    /// Lets `f` write the `length` bytes at `offset`. Generic, so that each caller gets code of its own: a short write costs
    /// hardly more than a call.
    #[inline]
    fn write_range(
        &self,
        offset: u64,
        length: u64,
        f: impl FnOnce(&mut LinearMemory<'_>) -> Option<()>,
    ) -> Result<(), Error> {
        self.access(length, |_, mut data| match f(&mut data) {
            Some(()) => Ok(()),
            None => Err(out_of_range("write", offset, length, data.size())),
        })
    }

    /// Lets `f` write all of the `length` bytes at `offset`, in one piece or in parts, each of an even length but the last.
    #[inline]
    fn write_parts(&self, offset: u64, length: u64, mut f: impl FnMut(&mut [u8])) -> Result<(), Error> {
        let write = |part: &mut [u8]| {
            f(part);
            Ok(())
        };
        self.access(length, |_, mut data| match data.write_parts(offset, length, write) {
            Some(done) => done,
            None => Err(out_of_range("write", offset, length, data.size())),
        })
    }

    /// Passes the memory to `f`, which reads or writes `length` of its bytes. That costs fuel if they are many, and nothing
    /// if they are more than the memory has.
    #[inline(always)]
    fn access<R>(
        &self,
        length: u64,
        f: impl FnOnce(LiveStore<'v>, LinearMemory<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        if length >= BYTES_PER_FUEL {
            return self.paid(|size| Ok(if length > size as u64 { 0 } else { length }), f);
        }
        self.data(f)
    }

    /// Does work for the fuel that a guest would pay for it: see `paid`.
    fn bulk<R>(
        &self,
        prepare: impl FnOnce(usize) -> Result<u64, Error>,
        work: impl FnOnce(LinearMemory<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.paid(prepare, |_, data| work(data))
    }

    /// Does work in one use of the store, for the fuel that a guest would pay for it.
    ///
    /// `prepare` gets the size of the memory, checks the request and returns the number of bytes to pay for. A request that
    /// it refuses costs nothing, and `work` runs only once the fuel is paid.
    fn paid<R>(
        &self,
        prepare: impl FnOnce(usize) -> Result<u64, Error>,
        work: impl FnOnce(LiveStore<'v>, LinearMemory<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let store = self.owner.store()?;
        let is_metered = store.evaluation.as_ref().is_metered();
        if is_metered {
            store.hold_fuel()?;
        }
        let done = store.with(|mut context| {
            let bytes = prepare(self.memory.data_size(&context))?;
            if is_metered && !pay(&mut context, bytes / BYTES_PER_FUEL) {
                return Ok(None);
            }
            work(store, LinearMemory::new(self.memory, &mut context)).map(Some)
        })??;
        done.ok_or_else(|| store.out_of_fuel())
    }

    fn size(&self) -> Result<usize, Error> {
        self.owner.store()?.with(|context| self.memory.data_size(&context))
    }

    pub(crate) fn byte_length(&self) -> Result<u64, Error> {
        Ok(self.size()? as u64)
    }

    /// Returns bytes for the application, at no cost to the script.
    pub(crate) fn copy(&self, offset: u64, length: u64) -> Result<Vec<u8>, Error> {
        self.data(|_, data| match data.to_vec(offset, length) {
            Some(bytes) => Ok(bytes),
            None => Err(out_of_range("read", offset, length, data.size())),
        })
    }

    fn grow(&self, by: u64) -> Result<u64, Error> {
        let store = self.owner.store()?;
        let (ty, size) = store.with(|context| (self.memory.ty(&context), self.memory.size(&context)))?;
        if by == 0 {
            return Ok(size);
        }
        let refuse = |why: String| Error::value(format!("cannot grow a memory of {size} pages by {by} pages: {why}"));
        let most = ty.maximum().unwrap_or(if ty.is_64() { 1 << 48 } else { 1 << 16 });
        let wanted = size.checked_add(by).filter(|wanted| *wanted <= most).ok_or_else(|| {
            refuse(match ty.maximum() {
                Some(maximum) => format!("its maximum is {maximum} pages"),
                None => format!("a memory has at most {most} pages"),
            })
        })?;
        let room = store.memory_room()?;
        if by.checked_mul(PAGE).is_none_or(|bytes| bytes > room.left) {
            return Err(room.error(format_args!("cannot grow a memory of {size} pages by {by} pages")));
        }
        store.charge(by.saturating_mul(PAGE) / BYTES_PER_FUEL)?;
        let grown = store.with(|mut context| self.memory.grow(context.as_context_mut(), by))?;
        grown.map_err(|error| refuse(format!("{error} ({wanted} pages)")))
    }

    /// Writes bytes that a script gives as an iterable of ints.
    fn write_items(&self, offset: u64, buffer: Value<'v>, heap: Heap<'v>) -> Result<(), Error> {
        if buffer.unpack_str().is_some() {
            return Err(Error::value("`buffer` must be bytes, got a str; write_string writes text"));
        }
        // Checked before the items, whose number is in the message.
        if let Ok(length) = buffer.length() {
            check_range("write", self.size()?, offset, length.unsigned_abs().into())?;
        }
        let Ok(items) = buffer.iterate(heap) else {
            return Err(Error::value(format!(
                "`buffer` must be bytes or an iterable of ints, got {}",
                convert::describe(buffer)
            )));
        };
        let room = self.byte_length()?.saturating_sub(offset);
        let mut bytes = Vec::new();
        for (index, item) in items.enumerate() {
            match item.unpack_i32().map(u8::try_from) {
                Some(Ok(byte)) => bytes.push(byte),
                _ => {
                    return Err(Error::value(format!(
                        "`buffer[{index}]` must be an int from 0 to 255, got {}",
                        convert::describe(item)
                    )));
                }
            }
            if bytes.len() as u64 > room {
                let size = self.byte_length()?;
                return Err(Error::value(format!(
                    "cannot write more than {room} bytes at offset {offset}: the memory has {size} bytes"
                )));
            }
        }
        self.write_range(offset, bytes.len() as u64, |data| data.write(offset, &bytes))
    }
}

starlark::methods_static!(MEMORY = all_methods);

fn all_methods(builder: &mut MethodsBuilder) {
    bytes::methods(builder);
    text::methods(builder);
    number::methods(builder);
    array::methods(builder);
    pack::methods(builder);
    builder.set_docstring(
        "A linear memory: what its guest sees, as it is at the moment of each call.\n\n\
         All offsets and lengths are in bytes and not negative; all numbers are little-endian. A range that does \
         not fit is an error, and nothing is read or written.",
    );
}

#[starlark_value(type = "wasm.Memory")]
impl<'v, V: ValueLike<'v>> StarlarkValue<'v> for MemoryGen<V>
where
    Self: ProvidesStaticType<'v>,
{
    type Canonical = FrozenMemory;

    fn get_methods() -> Option<&'static Methods> {
        Some(MEMORY.methods())
    }

    fn length(&self) -> starlark::Result<i32> {
        let memory = Memory { owner: self.owner.to_store_ref(), memory: self.memory };
        let bytes = memory.byte_length()?;
        i32::try_from(bytes).map_err(|_| {
            Error::value(format!("the memory has {bytes} bytes, more than len() can return; use `.byte_length`")).into()
        })
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let memory = Memory { owner: self.owner.to_store_ref(), memory: self.memory };
        let at = convert::size(index, "index")?;
        let byte = memory.read_range(at, 1, |bytes| bytes.first().copied().unwrap_or(0))?;
        Ok(heap.alloc(i32::from(byte)))
    }

    fn set_at(&self, index: Value<'v>, value: Value<'v>) -> starlark::Result<()> {
        let memory = Memory { owner: self.owner.to_store_ref(), memory: self.memory };
        let at = convert::size(index, "index")?;
        let byte = number::byte(value, "value")?;
        Ok(memory.write_range(at, 1, |data| data.write(at, &[byte]))?)
    }

    fn slice(
        &self,
        start: Option<Value<'v>>,
        stop: Option<Value<'v>>,
        stride: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let memory = Memory { owner: self.owner.to_store_ref(), memory: self.memory };
        if stride.is_some_and(|s| s.unpack_i32() != Some(1)) {
            return Err(Error::value("a slice of a memory has no stride").into());
        }
        let copied = memory.data(|store, data| {
            let size = data.size() as u64;
            let start = start.map_or(Ok(0), |v| convert::size(v, "start"))?;
            let stop = stop.map_or(Ok(size), |v| convert::size(v, "stop"))?;
            // Starlark clips slices of sequences. Here a range that does not fit is a mistake, as in `read`.
            if start > size || stop > size {
                return Err(Error::value(format!("cannot read [{start}:{stop}]: the memory has {size} bytes")));
            }
            let length = stop.saturating_sub(start);
            let charge = || store.evaluation.as_ref().copy_out(length);
            data.take(start, length, charge, StarlarkBytes::new, |size| out_of_range("read", start, length, size))
        })?;
        Ok(heap.alloc(copied))
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(Memory::from_value(other).is_some_and(|other| {
            other.owner.to_value().ptr_eq(self.owner.to_value()) && are_same(&other.memory, &self.memory)
        }))
    }
}
