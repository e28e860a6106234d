//! What a script may use.

mod amount;
pub(crate) mod table;

use self::amount::Amount;
use self::table::{Limit, LimitUnit, for_each_limit};
use crate::error::Error;
use crate::wording;

macro_rules! define_limits {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($argument:ty) $variant:ident = $number:literal:
            $ty:ty, default $default:expr, minimum $minimum:literal, $unit:ident, command $command:literal;
    )+) => {
        /// What a script and its modules may use.
        ///
        /// Each limit is safe by default, and an error that a limit causes names the limit and its value. The table
        /// of limits is [`Limit`].
        ///
        /// A [`Sandbox`](crate::Sandbox) enforces all of them. In an evaluator of your own,
        /// [`Engine::attach`](crate::Engine::attach) enforces those on WebAssembly, and
        /// [`Engine::configure`](crate::Engine::configure) sets `ticks`, `heap` and `call_depth`; `output` and
        /// `nesting` are enforced by a sandbox only.
        ///
        /// ```
        /// use wasmlark::{ErrorKind, Limit, Limits, Sandbox};
        ///
        /// let limits = Limits::new().ticks(10_000).memory(1 << 20);
        /// let endless = "def f():\n    for i in range(1000000000): pass\nf()";
        /// let error = Sandbox::new().limits(limits).run("main.star", endless).unwrap_err();
        /// assert_eq!(error.kind(), ErrorKind::Limit(Limit::Ticks));
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(pub(crate) $name: $ty,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Limits {
            $(
                $(#[doc = $doc])+
                ///
                #[doc = concat!("Default `", stringify!($default), "`, at least ", stringify!($minimum), ".")]
                pub fn $name(mut self, value: $argument) -> Self {
                    let value: $ty = value.into();
                    self.$name = value.at_least($minimum);
                    self
                }
            )+

            /// Returns the value of a limit; `None` if it is off.
            pub fn get(&self, limit: Limit) -> Option<u64> {
                match limit {
                    $(Limit::$variant => self.$name.get(),)+
                }
            }

            /// Sets a limit; `None` turns it off. A value below the limit's minimum is raised to it, and one beyond the
            /// target's address range is lowered to the largest possible.
            ///
            /// # Errors
            ///
            /// If the limit cannot be turned off.
            pub fn put(&mut self, limit: Limit, value: Option<u64>) -> Result<(), Error> {
                match limit {
                    $(Limit::$variant => {
                        self.$name = <$ty>::new(value).ok_or_else(|| not_optional(limit))?.at_least($minimum);
                    })+
                }
                Ok(())
            }
        }

        impl Limit {
            /// Returns whether the limit can be turned off.
            pub fn is_optional(self) -> bool {
                match self {
                    $(Self::$variant => <$ty>::OPTIONAL,)+
                }
            }
        }
    };
}
for_each_limit!(define_limits);

impl Limits {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a limit by its name, to a value in the form that [`Limit::parse`] reads.
    ///
    /// ```
    /// use wasmlark::Limits;
    ///
    /// let mut limits = Limits::new();
    /// limits.set("memory", "16M")?;
    /// limits.set("fuel", "none")?;
    /// assert_eq!(limits, Limits::new().memory(16 << 20).fuel(None));
    /// let error = limits.set("tick", "1").unwrap_err();
    /// assert_eq!(error.message(), "there is no limit `tick`; did you mean `ticks`?");
    /// # Ok::<(), wasmlark::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If no limit has that name, or the value is not valid for it.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let limit = Limit::find(name)?;
        let value = limit.parse(value).map_err(|e| Error::value(format!("limit `{limit}`: {}", e.message())))?;
        self.put(limit, value)
    }

    /// Returns how many bytes of native stack a thread should have to run scripts under these limits, at least 256 MiB.
    ///
    /// Calls nest on it up to `call_depth`, and source up to `nesting`. Printing, comparing and
    /// collecting nested values also recurse on it, which no limit counts: the 256 MiB are for some
    /// 30,000 levels of them. Unused pages of a stack take no memory.
    ///
    /// ```
    /// use wasmlark::{Limits, Sandbox};
    ///
    /// let limits = Limits::new().call_depth(10_000);
    /// let stack = limits.native_stack();
    /// let run = std::thread::Builder::new().stack_size(stack).spawn(|| Sandbox::new().limits(limits).run("main.star", "1 + 1"))?;
    /// assert!(run.join().unwrap().is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn native_stack(&self) -> usize {
        /// Measured without optimisation, where frames are largest: at most 13 KiB a level, for a call through WebAssembly.
        const CALL: usize = 32 << 10;
        /// At most 9 KiB a level.
        const NESTING: usize = 16 << 10;
        const VALUES: usize = 256 << 20;
        let calls = self.call_depth.saturating_mul(CALL);
        VALUES.saturating_add(calls).saturating_add(self.nesting.saturating_mul(NESTING))
    }
}

impl Limit {
    /// Returns the limit of that name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn find(name: &str) -> Result<Self, Error> {
        Self::ALL.iter().copied().find(|limit| limit.as_str() == name).ok_or_else(|| {
            let hint = wording::did_you_mean(name, Self::ALL.iter().map(|limit| limit.as_str()));
            let hint = wording::ending(hint);
            Error::value(format!("there is no limit `{}`{hint}", wording::shown(name)))
        })
    }

    /// Returns the default value; `None` if the limit is off by default.
    pub fn default_value(self) -> Option<u64> {
        Limits::new().get(self)
    }

    /// Parses a value: a whole number; for a limit in bytes also one with K, M or G for the binary multiples; or
    /// `none`, which returns `None`, for a limit that can be turned off.
    ///
    /// # Errors
    ///
    /// If the text is none of these. The message says what is expected.
    pub fn parse(self, text: &str) -> Result<Option<u64>, Error> {
        if self.is_optional() && text == "none" {
            return Ok(None);
        }
        let (digits, multiple) = match self.unit() {
            LimitUnit::Bytes => MULTIPLES
                .iter()
                .find_map(|(suffix, multiple)| Some((text.strip_suffix(*suffix)?, *multiple)))
                .unwrap_or((text, 1)),
            _ => (text, 1),
        };
        let got = || wording::shown(text);
        // `parse` accepts a sign too.
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            let or_none = if self.is_optional() { " or `none`" } else { "" };
            let wanted = match self.unit() {
                LimitUnit::Bytes => "a number of bytes such as 65536, 64K, 16M or 1G",
                _ => "a whole number",
            };
            return Err(Error::value(format!("expected {wanted}{or_none}, got `{}`", got())));
        }
        let value = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(multiple));
        value.map(Some).ok_or_else(|| Error::value(format!("`{}` does not fit in 64 bits", got())))
    }

    /// Writes a value in the form that [`parse`](Self::parse) reads, with the largest unit that divides it.
    pub fn format(self, value: Option<u64>) -> String {
        match (self.unit(), value) {
            (_, None) => "none".to_owned(),
            (LimitUnit::Bytes, Some(bytes)) if bytes != 0 => MULTIPLES
                .iter()
                .filter(|(_, multiple)| bytes.is_multiple_of(*multiple))
                .max_by_key(|(_, multiple)| *multiple)
                .map_or_else(|| bytes.to_string(), |(suffix, multiple)| format!("{}{suffix}", bytes / multiple)),
            (_, Some(number)) => number.to_string(),
        }
    }
}

/// The binary multiples of bytes. Of two names for a multiple, [`Limit::format`] uses the last.
const MULTIPLES: &[(char, u64)] =
    &[('k', 1 << 10), ('K', 1 << 10), ('m', 1 << 20), ('M', 1 << 20), ('g', 1 << 30), ('G', 1 << 30)];

fn not_optional(limit: Limit) -> Error {
    Error::value(format!("the limit `{limit}` cannot be turned off"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_distinct_and_complete() {
        for (index, limit) in Limit::ALL.iter().enumerate() {
            assert_eq!(*limit as usize, index, "{limit}: C and JavaScript know it by this number");
            assert_eq!(Limit::find(limit.as_str()).unwrap(), *limit);
            assert!(limit.summary().ends_with(['.', ':']) && limit.summary().len() < 100, "{limit}");
            assert!(limit.default_value() >= Some(limit.minimum()), "{limit}");
        }
    }

    #[test]
    fn each_limit_is_set_by_name() {
        for (index, limit) in Limit::ALL.iter().enumerate() {
            let value = 1_000 + index as u64;
            let mut limits = Limits::new();
            limits.set(limit.as_str(), &value.to_string()).unwrap();
            for other in Limit::ALL {
                let expected = if other == limit { Some(value) } else { other.default_value() };
                assert_eq!(limits.get(*other), expected, "{limit} sets {other}");
            }
        }
    }

    #[test]
    fn values_are_raised_to_the_minimum() {
        for limit in Limit::ALL {
            let mut limits = Limits::new();
            limits.put(*limit, Some(0)).unwrap();
            assert_eq!(limits.get(*limit), Some(limit.minimum()), "{limit}");
        }
        assert_eq!(Limits::new().stack_depth(1).stack_depth, 64);
    }

    #[test]
    fn some_limits_can_be_turned_off() {
        for limit in Limit::ALL {
            let mut limits = Limits::new();
            match limits.put(*limit, None) {
                Ok(()) => assert!(limit.is_optional() && limits.get(*limit).is_none(), "{limit}"),
                Err(error) => {
                    assert_eq!(error.message(), format!("the limit `{limit}` cannot be turned off"));
                    assert_eq!(limits, Limits::new());
                }
            }
        }
        assert!(Limit::Fuel.is_optional() && !Limit::Memory.is_optional());
    }

    #[test]
    fn values_as_text() {
        for (limit, text, value) in [
            (Limit::Ticks, "7", Some(7)),
            (Limit::Fuel, "none", None),
            (Limit::Memory, "64K", Some(1 << 16)),
            (Limit::Memory, "1G", Some(1 << 30)),
            (Limit::Memory, "1025", Some(1025)),
            (Limit::Memory, "0", Some(0)),
            (Limit::Fuel, "1048576", Some(1 << 20)),
        ] {
            assert_eq!(limit.parse(text).unwrap(), value, "{text}");
            assert_eq!(limit.format(value), text);
        }
        assert_eq!(Limit::Heap.parse("3m").unwrap(), Some(3 << 20));
    }

    #[test]
    fn bad_values_are_named() {
        for (limit, text, message) in [
            ("ticks", "abc", "limit `ticks`: expected a whole number, got `abc`"),
            ("ticks", "none", "limit `ticks`: expected a whole number, got `none`"),
            ("ticks", "1K", "limit `ticks`: expected a whole number, got `1K`"),
            ("ticks", "-1", "limit `ticks`: expected a whole number, got `-1`"),
            ("ticks", "+1", "limit `ticks`: expected a whole number, got `+1`"),
            ("ticks", "", "limit `ticks`: expected a whole number, got ``"),
            ("fuel", "abc", "limit `fuel`: expected a whole number or `none`, got `abc`"),
            ("heap", "K", "limit `heap`: expected a number of bytes such as 65536, 64K, 16M or 1G, got `K`"),
            ("heap", "99999999999999G", "limit `heap`: `99999999999999G` does not fit in 64 bits"),
            ("fuel", "99999999999999999999", "limit `fuel`: `99999999999999999999` does not fit in 64 bits"),
            ("zebra", "1", "there is no limit `zebra`"),
        ] {
            assert_eq!(Limits::new().set(limit, text).unwrap_err().message(), message);
        }
    }
}
