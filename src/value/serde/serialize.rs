//! Makes a value from anything that serde can serialise.

mod parts;

use serde::Serialize;
use serde::ser;

pub(super) use self::parts::step;
use self::parts::{Entries, Fields, Items, single};
use super::super::{Int, Value};
use super::build::{Build, Made, wide};
use super::{Fault, MAX_DEPTH, mark};

/// Makes a value with at most this many levels of nesting.
pub(super) struct Serializer<'b, B> {
    builder: &'b mut B,
    depth: usize,
    /// The mark of the newtype around the value that follows.
    mark: Option<&'static str>,
}

impl<'b, B: Build> Serializer<'b, B> {
    pub(super) fn new(builder: &'b mut B) -> Self {
        Self { builder, depth: MAX_DEPTH, mark: None }
    }

    /// Makes a part of a container that has this many levels left.
    fn at(builder: &'b mut B, depth: usize) -> Result<Self, Fault> {
        if depth == 0 { Err(Fault::too_deep()) } else { Ok(Self { builder, depth, mark: None }) }
    }

    /// Returns the number of levels that the parts of a container have left. A variant with data adds a dict around it.
    fn inner(&self, variant: Option<&'static str>) -> usize {
        self.depth.saturating_sub(1).saturating_sub(usize::from(variant.is_some()))
    }
}

macro_rules! scalars {
    ($($name:ident($ty:ty) => |$builder:ident, $value:ident| $make:expr;)*) => {$(
        fn $name(self, $value: $ty) -> Result<Made<B>, Fault> {
            let $builder = self.builder;
            $make
        }
    )*};
}

impl<'b, B: Build> ser::Serializer for Serializer<'b, B> {
    type Ok = Made<B>;
    type Error = Fault;
    type SerializeSeq = Items<'b, B>;
    type SerializeTuple = Items<'b, B>;
    type SerializeTupleStruct = Items<'b, B>;
    type SerializeTupleVariant = Items<'b, B>;
    type SerializeMap = Entries<'b, B>;
    type SerializeStruct = Fields<'b, B>;
    type SerializeStructVariant = Fields<'b, B>;

    scalars! {
        serialize_bool(bool) => |builder, value| Ok(Made::Whole(builder.bool(value)));
        serialize_i8(i8) => |builder, value| wide(builder, value);
        serialize_i16(i16) => |builder, value| wide(builder, value);
        serialize_i32(i32) => |builder, value| wide(builder, value);
        serialize_i64(i64) => |builder, value| wide(builder, value);
        serialize_i128(i128) => |builder, value| wide(builder, value);
        serialize_u8(u8) => |builder, value| wide(builder, value);
        serialize_u16(u16) => |builder, value| wide(builder, value);
        serialize_u32(u32) => |builder, value| wide(builder, value);
        serialize_u64(u64) => |builder, value| wide(builder, value);
        serialize_u128(u128) => |builder, value| wide(builder, value);
        serialize_f32(f32) => |builder, value| Ok(Made::Whole(builder.float(value.into())));
        serialize_f64(f64) => |builder, value| Ok(Made::Whole(builder.float(value)));
        serialize_char(char) => |builder, value| Ok(Made::Whole(builder.str(value.encode_utf8(&mut [0; 4]))));
        serialize_bytes(&[u8]) => |builder, value| Ok(Made::Whole(builder.bytes(value)));
    }

    fn serialize_str(self, value: &str) -> Result<Self::Ok, Fault> {
        Ok(Made::Whole(match self.mark {
            Some(mark::OPAQUE) => self.builder.value(Value::Opaque(value.to_owned()))?,
            Some(mark::INT) => {
                let int = Int::parse(value).ok_or_else(|| Fault::new("no int"))?;
                self.builder.value(Value::Int(int))?
            }
            _ => self.builder.str(value),
        }))
    }

    fn serialize_none(self) -> Result<Self::Ok, Fault> {
        Ok(Made::Whole(self.builder.none()))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Self::Ok, Fault> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Self::Ok, Fault> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Self::Ok, Fault> {
        Ok(Made::Whole(self.builder.str(variant)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Self::Ok, Fault> {
        value.serialize(Self { mark: Some(name), ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        name: &'static str,
        value: &T,
    ) -> Result<Self::Ok, Fault> {
        let depth = self.inner(None);
        let serializer = Serializer::at(&mut *self.builder, depth)?;
        let data = value.serialize(serializer).and_then(|made| made.whole(self.builder));
        let data = data.map_err(|fault| fault.within(|| format!(".{name}")))?;
        single(self.builder, name, data)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items<'b, B>, Fault> {
        Ok(Items::new(self, len.unwrap_or_default(), None, false))
    }

    fn serialize_tuple(self, len: usize) -> Result<Items<'b, B>, Fault> {
        Ok(Items::new(self, len, None, true))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Items<'b, B>, Fault> {
        Ok(Items::new(self, len, None, true))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Items<'b, B>, Fault> {
        Ok(Items::new(self, len, Some(variant), true))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Entries<'b, B>, Fault> {
        Ok(Entries::new(self))
    }

    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<Fields<'b, B>, Fault> {
        Ok(Fields::new(self, len, None))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Fields<'b, B>, Fault> {
        Ok(Fields::new(self, len, Some(variant)))
    }
}
