//! A subscription's `filter`: a CEL expression that says which changes fire.
//!
//! The management API checks one when it is saved, and fan-out, replays and `testWebhookFilter` judge changes
//! by it. A filter that fails never loses an event: whoever asks treats a failure as true (`matching`).
//!
//! An expression is bounded before it is parsed and before it runs (`size`), since CEL's parser and
//! interpreter recurse. It can not write, wait or see the clock.

mod check;
mod fault;
mod patterns;
mod row;
mod size;

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use cel::{ExecutionError, Program, Value};

pub use check::unknown_column;
pub use fault::{FilterFault, Place};
pub use row::FilterInput;
pub use size::{MAX_BYTES, MAX_DEPTH, MAX_LOOPED_ROW, MAX_ROW, MAX_TOKENS};

use crate::domain::resource::ResourceDefinition;

/// The parser takes some hundred KiB for each level of brackets, in a build without optimisation, and the
/// longest chain that `size` lets through is half as long as its tokens are many.
const PARSER_STACK: usize = 64 << 20;

/// An expression that can be run.
#[derive(Debug)]
pub struct Filter {
    text: String,
    program: Program,
    /// Bytes of the rows that it reads.
    most: usize,
}

impl Filter {
    /// Parses an expression and looks at everything that can be told of it before it runs, the columns of
    /// the table that it is for included.
    pub fn checked(text: &str, table: &ResourceDefinition) -> Result<Self, FilterFault> {
        let filter = Self::compile(text)?;
        let check = check::Check {
            text: &filter.text,
            source: filter.program.source_info(),
            table,
        };
        check.whole(filter.program.expression())?;
        Ok(filter)
    }

    /// Parses an expression that was checked when it was saved. It takes a thread's start and some hundred
    /// microseconds: see [`Filters`].
    pub fn compile(text: &str) -> Result<Self, FilterFault> {
        size::check_text(text)?;
        let parse = || {
            let program =
                Program::compile(text).map_err(|errors| fault::of_parser(text, &errors))?;
            size::check_depth(text, program.expression())?;
            let loops = size::check_work(program.expression())?;
            Ok((program, if loops { MAX_LOOPED_ROW } else { MAX_ROW }))
        };
        let parsed = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .name("filter".to_owned())
                .stack_size(PARSER_STACK);
            let thread = thread.spawn_scoped(scope, parse).map_err(|error| {
                FilterFault::passing(format!("can not be read just now: {error}"))
            })?;
            // A panic is the parser's, whose reasons nobody here knows.
            thread
                .join()
                .unwrap_or_else(|_| Err(FilterFault::whole("can not be read by the CEL parser")))
        });
        let (program, most) = parsed?;
        Ok(Self {
            text: text.to_owned(),
            program,
            most,
        })
    }

    /// Whether it holds of a change.
    pub fn judge(&self, input: &FilterInput<'_>) -> Result<bool, FilterFailure> {
        let bytes = input.bytes();
        if bytes > self.most {
            return Err(FilterFailure(format!(
                "the old and the new row take {bytes} bytes, and it reads at most {}",
                self.most
            )));
        }
        // An interpreter's panic must cost one verdict, not the stage.
        let run = AssertUnwindSafe(|| self.program.execute(input.context()));
        match catch_unwind(run) {
            Ok(Ok(Value::Bool(holds))) => Ok(holds),
            Ok(Ok(other)) => Err(FilterFailure(format!(
                "it came to {}, which is neither true nor false",
                kind(&other)
            ))),
            Ok(Err(error)) => Err(FilterFailure(reason(&self.text, &error))),
            Err(_) => Err(FilterFailure("the CEL interpreter panicked".to_owned())),
        }
    }
}

/// Why a filter could not judge a change, in words without a value of the row in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterFailure(String);

/// What went wrong, by types alone: the error itself may print values, and logs are no place for those.
fn reason(text: &str, error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchOverload(overload) => {
            let types = overload.argument_types();
            // `_[_]` and the like.
            let operator = match overload.function() {
                "@in" => "in".to_owned(),
                name if name.starts_with('_') || name.ends_with('_') => name.replace('_', ""),
                name => name.to_owned(),
            };
            if let ("." | "[]", Some("null_type")) =
                (operator.as_str(), types.first().map(String::as_str))
            {
                return "a member of null was asked for (`old` is null on CREATE, `new` on DELETE)"
                    .to_owned();
            }
            let hint = match types.iter().any(|one| one == "null_type") {
                true => "; test for null first, as in `new.n != null && new.n > 5`",
                false => "",
            };
            format!(
                "`{operator}` can not be applied to ({}){hint}",
                types.join(", ")
            )
        }
        // A key that was computed may be a value of the row.
        ExecutionError::NoSuchKey(key) if text.contains(key.as_str()) => {
            format!("there is no member {key:?}; `has()` asks for one")
        }
        ExecutionError::NoSuchKey(_) => "there is no member of that name".to_owned(),
        ExecutionError::UndeclaredReference(name) => format!("there is no {name:?}"),
        ExecutionError::UnsupportedBinaryOperator(operator, left, right)
        | ExecutionError::Overflow(operator, left, right) => {
            let how = match error {
                ExecutionError::Overflow(..) => "leaves the range of 64 bits",
                _ => "is not possible; `int()` and `double()` convert",
            };
            format!("`{operator}` of {} and {} {how}", kind(left), kind(right))
        }
        ExecutionError::ValuesNotComparable(left, right) => {
            format!("{} and {} can not be compared", kind(left), kind(right))
        }
        ExecutionError::UnexpectedType { got, want } => format!("{want} is needed where {got} is"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "a division by zero".to_owned()
        }
        ExecutionError::IndexOutOfBounds(_) => "an index is outside of its list".to_owned(),
        ExecutionError::DuplicateKey(_) => "a map has a key twice".to_owned(),
        ExecutionError::FunctionError { function, .. } => {
            format!("`{function}` can not be applied to this value")
        }
        _ => "a value is of a type that can not be used there".to_owned(),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::List(_) => "list",
        Value::Map(_) => "map",
        Value::Int(_) => "int",
        Value::UInt(_) => "uint",
        Value::Float(_) => "double",
        Value::String(_) => "string",
        Value::Bytes(_) => "bytes",
        Value::Bool(_) => "bool",
        Value::Null => "null",
        _ => "something else",
    }
}

/// Compiled filters by their text: each is compiled once, not for each change.
#[derive(Debug, Default)]
pub struct Filters(HashMap<String, Arc<Result<Filter, FilterFault>>>);

/// Filters that are kept at most. Far more than subscriptions have, so that only leftovers are dropped.
const KEPT: usize = 4096;

impl Filters {
    /// The filter of a text. What was saved did compile then; another version of rowhook may know better.
    pub fn get(&mut self, text: &str) -> Arc<Result<Filter, FilterFault>> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        let compiled = Arc::new(Filter::compile(text));
        let passes = compiled
            .as_ref()
            .as_ref()
            .is_err_and(FilterFault::is_passing);
        if !passes {
            self.0.insert(text.to_owned(), compiled.clone());
        }
        compiled
    }

    /// Whether the expression holds of a change.
    pub fn judge(&mut self, text: &str, input: &FilterInput<'_>) -> Result<bool, FilterFailure> {
        match self.get(text).as_ref() {
            Ok(filter) => filter.judge(input),
            Err(fault) => Err(FilterFailure(format!("the expression {}", fault.message))),
        }
    }
}

#[cfg(test)]
mod tests;
