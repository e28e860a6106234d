//! Imports for which nothing is given, as link errors report them.

use crate::module::Import;
use crate::module::types::named;
use crate::wording;

/// Why an import cannot be linked.
pub(super) enum Problem {
    /// Nothing is given for its whole namespace.
    Absent {
        hint: Option<String>,
    },
    /// Nothing is given for its name.
    Missing(String),
    Other(String),
}

impl From<String> for Problem {
    fn from(problem: String) -> Self {
        Self::Other(problem)
    }
}

/// The namespaces for which nothing is given, each with what the module imports from it, so that each is reported once.
#[derive(Default)]
pub(super) struct Absent<'a>(Vec<(&'a str, Option<String>, Vec<&'a Import>)>);

impl<'a> Absent<'a> {
    pub(super) fn add(&mut self, import: &'a Import, hint: Option<String>) {
        match self.0.iter_mut().find(|(module, ..)| *module == import.module) {
            Some((.., imports)) => imports.push(import),
            None => self.0.push((&import.module, hint, vec![import])),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|(.., imports)| imports.len()).sum()
    }

    /// Returns a problem for each namespace, with the place of its first import.
    pub(super) fn problems(self) -> impl Iterator<Item = (usize, String)> {
        self.0.into_iter().map(|(module, hint, mut imports)| {
            imports.sort_by_key(|import| import.position);
            let position = imports.first().map_or(usize::MAX, |import| import.position);
            let module = wording::shown(module);
            let hint = wording::ending(hint);
            let text = match imports.as_slice() {
                [one] => format!(
                    "`{}` ({}) is missing: nothing is given for `{module}`{hint}",
                    full_name(one),
                    named(&one.ty)
                ),
                many => {
                    let names =
                        many.iter().map(|import| format!("\n    `{}` ({})", full_name(import), named(&import.ty)));
                    format!("nothing is given for `{module}`{hint}; missing are{}", names.collect::<String>())
                }
            };
            (position, text)
        })
    }
}

/// Returns an import's full name.
pub(crate) fn full_name(import: &Import) -> String {
    format!("{}.{}", wording::shown(&import.module), wording::shown(&import.name))
}
