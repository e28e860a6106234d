//! Loads the files that a script names in its `load` statements.

use starlark::environment::{FrozenModule, Module};
use starlark::eval::{Evaluator, FileLoader};
use starlark::syntax::AstModule;

use super::files::{Files, Source};
use super::supervisor::release_fuel;
use crate::engine::Wanted;
use crate::lang::{self, names};

/// Resolves the `load` statements of one file.
pub(super) struct ScriptLoader<'a, 'v> {
    pub(super) files: &'a Files,
    pub(super) from: &'a str,
    /// The file's module, if it is running.
    pub(super) module: Option<&'a Module<'v>>,
}

impl FileLoader for ScriptLoader<'_, '_> {
    fn load(&self, path: &str) -> starlark::Result<FrozenModule> {
        let files = self.files;
        let name = names::resolve(self.from, path)?;
        if let Some(module) = files.loaded.borrow().get(&name) {
            return Ok(module.clone());
        }
        let mut chain = files.loading.borrow().clone();
        let depth = chain.len();
        if chain.last().is_none_or(|last| last != self.from) {
            chain.push(self.from.to_owned());
        }
        names::check_load(&chain, depth, &name)?;
        let bytes = files.engine.load(Wanted::File, &name)?;
        let text = lang::script_text(&name, bytes)?;
        // The loaded file spends from the same budget.
        if let Some(module) = self.module {
            release_fuel(module);
        }
        let frozen = self.run(&name, text)?;
        files.loaded.borrow_mut().insert(name, frozen.clone());
        Ok(frozen)
    }
}

impl ScriptLoader<'_, '_> {
    /// Runs a file that this one loads.
    fn run(&self, name: &str, text: String) -> starlark::Result<FrozenModule> {
        let files = self.files;
        files.loading.borrow_mut().push(name.to_owned());
        let frozen = files.supervisor.nest(|| {
            Module::with_temp_heap(|module| {
                {
                    let loader = ScriptLoader { files, from: name, module: Some(&module) };
                    let mut eval = Evaluator::new(&module);
                    let ticks = files.prepare(&mut eval, &loader)?;
                    files.run(&mut eval, ticks, name, Source::Text(text))?;
                }
                module.freeze().map_err(|e| starlark::Error::new_other(anyhow::Error::from(e)))
            })
        });
        files.loading.borrow_mut().pop();
        frozen
    }
}

/// Parses a script without running it, and loads the files that it names.
pub(super) fn parse_and_load(files: &Files, name: &str, text: String) -> starlark::Result<AstModule> {
    let ast = files.parse_file(name, text)?;
    let loader = ScriptLoader { files, from: name, module: None };
    for load in ast.loads() {
        loader.load(load.module_id).map_err(|mut error| {
            // The error gets the place of the whole statement, as when the script runs. That is the last statement which
            // begins before the name.
            let name = load.span.span.begin();
            let statements = ast.stmt_locations();
            let statement = statements.iter().rfind(|statement| statement.span.begin() <= name);
            let place = statement.unwrap_or(&load.span);
            error.set_span(place.span, &place.file);
            error
        })?;
    }
    Ok(ast)
}
