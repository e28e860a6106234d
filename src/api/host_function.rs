//! A function of the application, as scripts see it.

use std::fmt;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::docs::{DocFunction, DocItem, DocMember, DocParam, DocParams, DocReturn, DocString, DocStringKind};
use starlark::environment::GlobalsBuilder;
use starlark::eval::{Arguments, Evaluator};
use starlark::starlark_simple_value;
use starlark::typing::Ty;
use starlark::values::{NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, starlark_value};

use crate::error::Error;
use crate::host::function::HostFunction;
use crate::value::make_set;
use crate::wording::{did_you_mean, ending};

#[derive(ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic, Clone)]
#[allocative(skip)]
struct Builtin(HostFunction);

starlark_simple_value!(Builtin);

// Here and not in `host`, which does not know evaluators.
impl HostFunction {
    /// Adds the function to the globals of an application with its own evaluator.
    pub fn add_to(&self, builder: &mut GlobalsBuilder) {
        builder.set(self.name(), Builtin(self.clone()));
    }
}

impl Builtin {
    /// Puts the arguments of a call in the order of the parameters.
    fn bind<'v>(
        &self,
        args: &Arguments<'v, '_>,
        eval: &Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Vec<Option<Value<'v>>>> {
        let (name, count, names) = (self.0.name(), self.0.count(), self.0.param_names());
        let mut values: Vec<Option<Value<'v>>> = args.positions(eval.heap())?.map(Some).collect();
        // The last parameter of an open function takes any number of arguments.
        let count = if self.0.is_open() { count.saturating_sub(1).max(values.len()) } else { count };
        if values.len() > count {
            let plural = if count == 1 { "" } else { "s" };
            let given = values.len();
            return Err(Error::value(format!("{name} takes {count} argument{plural}, got {given}")).into());
        }
        values.resize(count, None);
        if args.no_named_args().is_ok() {
            return Ok(values);
        }
        for (key, value) in args.names_map()? {
            let key = key.as_str();
            let at = names.iter().take(count).position(|known| known == key);
            match at.and_then(|at| values.get_mut(at)) {
                Some(Some(_)) => return Err(Error::value(format!("{name}: argument `{key}` is given twice")).into()),
                Some(slot) => *slot = Some(value),
                None if names.is_empty() => {
                    let message = format!("{name}: argument `{key}` is given by name, but its arguments have none");
                    return Err(Error::value(message).into());
                }
                None => {
                    let hint = did_you_mean(key, names.iter().map(String::as_str));
                    let hint = ending(hint);
                    return Err(Error::value(format!("{name} has no parameter `{key}`{hint}")).into());
                }
            }
        }
        Ok(values)
    }
}

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for Builtin {
    fn invoke(
        &self,
        _this: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let values = self.bind(args, eval)?;
        let result = self.0.invoke(&values, eval.heap())?;
        result.to_starlark(eval.heap(), &mut |list| make_set(list, eval))
    }

    fn name_for_call_stack(&self, _this: Value<'v>) -> String {
        self.0.name().to_owned()
    }

    fn documentation(&self) -> DocItem {
        let param = |at| DocParam {
            name: self.0.param_names().get(at).cloned().unwrap_or_else(|| format!("argument_{at}")),
            docs: None,
            typ: Ty::any(),
            default_value: None,
        };
        let all = self.0.count().saturating_sub(usize::from(self.0.is_open()));
        let named = self.0.param_names().len().min(all);
        DocItem::Member(DocMember::Function(DocFunction {
            docs: self.0.description().and_then(|text| DocString::from_docstring(DocStringKind::Rust, text)),
            params: DocParams {
                pos_only: (named..all).map(param).collect(),
                pos_or_named: (0..named).map(param).collect(),
                args: self.0.is_open().then(|| param(all)),
                named_only: Vec::new(),
                kwargs: None,
            },
            ret: DocReturn::default(),
        }))
    }
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}
