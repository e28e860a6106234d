//! How deeply a text is nested, measured before it is parsed.

use starlark::codemap::{CodeMap, Pos, Span};
use starlark::syntax::Dialect;
use starlark_syntax::lexer::{Lexer, Token};

/// Returns the first token at which the depth of the syntax tree may exceed `limit`. The computed depth is an upper
/// bound: the open brackets, blocks and `elif`s, and in each the operators since the last separator, since every one of
/// them may be a level.
pub(super) fn too_deep(text: &CodeMap, dialect: &Dialect, limit: usize) -> Option<Span> {
    let mut lexer = Lexer::new(text.source(), dialect, text.clone());
    let mut depth = Depth::default();
    while let Some(Ok((begin, token, end))) = lexer.next() {
        depth.add(&token);
        if depth.total() > limit {
            return Some(Span::new(position(begin), position(end)));
        }
    }
    None
}

fn position(offset: usize) -> Pos {
    Pos::new(u32::try_from(offset).unwrap_or(u32::MAX))
}

#[derive(Default)]
struct Depth {
    /// The depth of the enclosing levels, including the levels themselves.
    outside: usize,
    innermost: Level,
    enclosing: Vec<(usize, Level)>,
}

#[derive(Default, Clone, Copy)]
struct Level {
    operators: usize,
    elifs: usize,
    /// `lambda`s whose colon is still to come. Their commas separate parameters, and what follows the colon is still
    /// one level deeper. An `in` in the defaults ends none of them.
    lambdas: usize,
    /// `for`s whose `in` is still to come. Their commas separate names.
    fors: usize,
    /// Whether no token of the statement has been seen yet.
    fresh: bool,
}

impl Level {
    fn begin_statement(&mut self) {
        (self.operators, self.lambdas, self.fors, self.fresh) = (0, 0, 0, true);
    }
}

impl Depth {
    fn total(&self) -> usize {
        self.outside.saturating_add(self.innermost.operators).saturating_add(self.innermost.elifs)
    }

    fn add(&mut self, token: &Token) {
        if self.innermost.fresh && !matches!(token, Token::Newline | Token::Comment(_) | Token::Indent | Token::Dedent)
        {
            self.innermost.fresh = false;
            if !matches!(token, Token::Elif | Token::Else) {
                self.innermost.elifs = 0;
            }
        }
        match token {
            Token::OpeningRound | Token::OpeningSquare | Token::OpeningCurly | Token::Indent => {
                self.enclosing.push((self.outside, self.innermost));
                self.outside = self.total().saturating_add(1);
                self.innermost = Level { fresh: true, ..Level::default() };
            }
            Token::ClosingRound | Token::ClosingSquare | Token::ClosingCurly => {
                self.close();
                // A call or an index is another link of the chain that it is part of.
                self.innermost.operators = self.innermost.operators.saturating_add(1);
            }
            Token::Dedent => {
                self.close();
                self.innermost.begin_statement();
            }
            Token::Newline => self.innermost.begin_statement(),
            Token::Comma if self.innermost.lambdas > 0 || self.innermost.fors > 0 => {}
            Token::Comma | Token::Semicolon => self.innermost.operators = 0,
            Token::Lambda => {
                self.innermost.lambdas = self.innermost.lambdas.saturating_add(1);
                self.innermost.operators = self.innermost.operators.saturating_add(1);
            }
            Token::For => {
                self.innermost.fors = self.innermost.fors.saturating_add(1);
                self.innermost.operators = self.innermost.operators.saturating_add(1);
            }
            Token::In => {
                self.innermost.fors = self.innermost.fors.saturating_sub(1);
                self.innermost.operators = self.innermost.operators.saturating_add(1);
            }
            Token::Colon => self.innermost.lambdas = self.innermost.lambdas.saturating_sub(1),
            Token::Elif => self.innermost.elifs = self.innermost.elifs.saturating_add(1),
            Token::Identifier(_) | Token::Int(_) | Token::Float(_) | Token::String(_) | Token::Bytes(_) => {}
            Token::Comment(_) | Token::FStringText(_) => {}
            _ => self.innermost.operators = self.innermost.operators.saturating_add(1),
        }
    }

    fn close(&mut self) {
        if let Some((outside, level)) = self.enclosing.pop() {
            self.outside = outside;
            self.innermost = level;
        }
    }
}
