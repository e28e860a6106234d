//! The life of a session: it runs its script, and then answers requests.

use std::rc::Rc;

use starlark::environment::Module;
use starlark::eval::Evaluator;

use super::files::{Files, Source};
use super::functions::functions;
use super::globals::GLOBALS;
use super::loader::ScriptLoader;
#[cfg(feature = "serde")]
use super::mailbox::Reply;
use super::mailbox::{Answer, Mailbox, Request, Work};
use super::memories;
use super::names::{names_in, variable};
use crate::lang::compat::collect::collect;
use crate::value::{Value, make_set};

/// The growth of the heap, in bytes, after which garbage is collected between two calls.
const COLLECT_AFTER: usize = 1 << 20;

/// Runs the script, replies, and then replies to requests without end.
///
/// starlark provides a heap, and so all references to it, only within a scope. Here that is the scope of a future, which can
/// be kept and moved while it waits for a request.
pub(super) async fn live(files: Rc<Files>, mailbox: Rc<Mailbox>, name: String, source: Source) {
    Module::with_temp_heap_async(async |module| {
        let loader = ScriptLoader { files: &files, from: &name, module: Some(&module) };
        let mut eval = Evaluator::new(&module);
        let mut ticks = match files.prepare(&mut eval, &loader) {
            Ok(ticks) => ticks,
            Err(error) => return mailbox.reply(Err(files.explain(&error))),
        };
        let result = files.run(&mut eval, ticks, &name, source);
        mailbox.reply(files.reply(result.map(|value| Ok(Value::from_starlark_or_name(value, module.heap())))));
        let mut collected = module.heap().allocated_bytes();
        while !files.has_panicked() {
            let reply = match mailbox.work().await {
                #[cfg(feature = "serde")]
                Work::DirectCall => call_directly(&files, &mailbox, &mut eval, ticks),
                Work::Request(Request::Call(call)) => {
                    let result = files.call(&mut eval, ticks, (&call.name, call.limits), &|eval| {
                        call.arguments(eval.heap(), &mut |list| make_set(list, eval))
                    });
                    files.reply(result.map(|value| Value::from_starlark(value, module.heap())))
                }
                Work::Request(Request::Get { name }) => match variable(&module, &name) {
                    Some(value) => Value::from_starlark(value, module.heap()).map(Answer::Value),
                    None => Ok(Answer::Nothing),
                },
                // A new evaluator, since the limits of one can be set only once.
                Work::Request(Request::Refill) => {
                    files.refill();
                    eval = Evaluator::new(&module);
                    match files.prepare(&mut eval, &loader) {
                        Ok(renewed) => {
                            ticks = renewed;
                            Ok(Answer::Nothing)
                        }
                        Err(error) => Err(files.explain(&error)),
                    }
                }
                Work::Request(Request::Memories) => Ok(Answer::Memories(memories::list(&module))),
                Work::Request(Request::Memory { name, offset, length }) => {
                    memories::read(&module, &name, offset, length).map(|bytes| Answer::Value(Value::Bytes(bytes)))
                }
                Work::Request(Request::Functions) => Ok(Answer::Functions(functions(&module))),
                Work::Request(Request::Eval { name, text }) => files
                    .eval(&mut eval, ticks, &name, text)
                    .map(|value| Answer::Value(Value::from_starlark_or_name(value, module.heap())))
                    .map_err(|error| files.explain(&error)),
                Work::Request(Request::Names { path }) => {
                    let names = names_in(&files.engine, &module, path.as_deref());
                    Ok(Answer::Value(Value::List(names.into_iter().map(Value::Str).collect())))
                }
            };
            mailbox.reply(reply);
            collect_if_grown(&mut eval, &mut collected);
        }
    })
    .await;
}

/// Makes the call that is lent.
#[cfg(feature = "serde")]
fn call_directly<'v>(files: &Files, mailbox: &Mailbox, eval: &mut Evaluator<'v, '_, '_>, ticks: u64) -> Reply {
    let reply = mailbox.lent.with(|call| {
        let (name, limits) = (call.name(), call.limits());
        let arguments =
            |eval: &mut Evaluator<'v, '_, '_>| call.arguments(eval.heap(), &mut |list| make_set(list, eval));
        match files.call(eval, ticks, (name, limits), &arguments) {
            Ok(value) => call.finish(value, eval.heap()).map(|()| Answer::Nothing),
            Err(error) => files.reply(Err(error)),
        }
    });
    // There is one: `Whole::call` sends this work only while it lends a call.
    reply.unwrap_or(Ok(Answer::Nothing))
}

/// Collects garbage if the heap has grown much since it was `collected`.
fn collect_if_grown(eval: &mut Evaluator<'_, '_, '_>, collected: &mut usize) {
    if eval.heap().allocated_bytes().saturating_sub(*collected) > COLLECT_AFTER {
        collect(eval, &GLOBALS);
        *collected = eval.heap().allocated_bytes();
    }
}
