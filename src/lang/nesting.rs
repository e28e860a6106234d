//! Source text: the dialect, and how deeply a text is nested, before a parser sees it.

use std::collections::HashMap;

use starlark::codemap::CodeMap;
use starlark::syntax::{AstModule, Dialect};
use starlark_syntax::codemap::Pos;
use starlark_syntax::lexer::{Lexer, Token};

use crate::error::{Error, Limit, Location};
use crate::lang::compat::shift::OPERATOR;
use crate::lang::compat::shift_assign::{Rewritten, rewrite};

/// The language of the sandbox: all of starlark-rust's, f-strings and types among it.
pub(crate) fn dialect() -> Dialect {
    Dialect { enable_f_strings: true, ..Dialect::Extended }
}

/// Parses a script, unless it is nested more deeply than `nesting` levels: parser and compiler
/// recurse on the native stack, and a deep enough text would overflow it.
pub(crate) fn parse(name: &str, text: String, nesting: usize) -> starlark::Result<(AstModule, Rewritten)> {
    let dialect = dialect();
    // Editors put one there; it is no part of the text.
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    if let Some(line) = too_deep(name, &text, &dialect, nesting) {
        let message = format!("{name}:{line}: the source is nested deeper than {nesting} levels (limit `nesting`)");
        let location = Location { file: name.to_owned(), line, column: 1 };
        return Err(Error::limit(Limit::Nesting, message.clone()).with_report(Some(location), message).into());
    }
    let mut module = AstModule::parse(name, text, &dialect)?;
    let mut rewritten = Rewritten::default();
    if let Some((text, how)) = rewrite(&module) {
        module = AstModule::parse(name, text, &dialect)?;
        rewritten = how;
    }
    module.replace_binary_operators(&HashMap::from([(OPERATOR.to_owned(), OPERATOR.to_owned())]));
    Ok((module, rewritten))
}

/// The line where the text's depth as a tree may pass `most`. What is counted is an upper bound: open
/// brackets, blocks and `elif`s, and in each the operators since the last separator, of which every
/// one may be a level.
fn too_deep(name: &str, text: &str, dialect: &Dialect, most: usize) -> Option<usize> {
    let codemap = CodeMap::new(name.to_owned(), text.to_owned());
    let mut lexer = Lexer::new(text, dialect, codemap.clone());
    let mut depth = Depth::default();
    while let Some(Ok((at, token, _))) = lexer.next() {
        depth.add(&token);
        if depth.total() > most {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            return Some(codemap.find_line(Pos::new(at)).saturating_add(1));
        }
    }
    None
}

#[derive(Default)]
struct Depth {
    /// Those of the levels that enclose this one, the levels themselves among them.
    outside: usize,
    here: Level,
    enclosing: Vec<(usize, Level)>,
}

#[derive(Default, Clone, Copy)]
struct Level {
    operators: usize,
    elifs: usize,
    /// No token of the statement was seen yet.
    fresh: bool,
}

impl Depth {
    fn total(&self) -> usize {
        self.outside.saturating_add(self.here.operators).saturating_add(self.here.elifs)
    }

    fn add(&mut self, token: &Token) {
        if self.here.fresh && !matches!(token, Token::Newline | Token::Comment(_) | Token::Indent | Token::Dedent) {
            self.here.fresh = false;
            if !matches!(token, Token::Elif | Token::Else) {
                self.here.elifs = 0;
            }
        }
        match token {
            Token::OpeningRound | Token::OpeningSquare | Token::OpeningCurly | Token::Indent => {
                self.enclosing.push((self.outside, self.here));
                self.outside = self.total().saturating_add(1);
                self.here = Level { fresh: true, ..Level::default() };
            }
            Token::ClosingRound | Token::ClosingSquare | Token::ClosingCurly => {
                self.close();
                // A call or an index is one more link of the chain that it stands in.
                self.here.operators = self.here.operators.saturating_add(1);
            }
            Token::Dedent => {
                self.close();
                self.here.operators = 0;
                self.here.fresh = true;
            }
            Token::Newline => {
                self.here.operators = 0;
                self.here.fresh = true;
            }
            Token::Comma | Token::Semicolon => self.here.operators = 0,
            Token::Elif => self.here.elifs = self.here.elifs.saturating_add(1),
            Token::Identifier(_) | Token::Int(_) | Token::Float(_) | Token::String(_) | Token::Bytes(_) => {}
            Token::Comment(_) | Token::Colon | Token::FStringText(_) => {}
            _ => self.here.operators = self.here.operators.saturating_add(1),
        }
    }

    fn close(&mut self) {
        if let Some((outside, level)) = self.enclosing.pop() {
            self.outside = outside;
            self.here = level;
        }
    }
}
