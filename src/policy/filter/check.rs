//! What can be told of an expression before it runs: its variables, functions and columns exist, its
//! patterns can be read, it does not loop within a loop, and it is a condition.

use cel::{
    IdedExpr,
    common::ast::{ComprehensionExpr, Expr, LiteralValue, SourceInfo, operators as op},
};

use super::{
    fault::{FilterFault, Place},
    patterns, size,
};
use crate::{domain::resource::ResourceDefinition, policy::nearest::nearest};

/// The variables of every filter.
const VARIABLES: [&str; 4] = ["old", "new", "resource", "action"];
/// The types that `type(x)` is compared with.
const TYPES: [&str; 10] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
];
/// `name(x)`, with how many arguments.
const FUNCTIONS: [(&str, usize); 10] = [
    ("bool", 1),
    ("bytes", 1),
    ("double", 1),
    ("dyn", 1),
    ("int", 1),
    ("matches", 2),
    ("size", 1),
    ("string", 1),
    ("type", 1),
    ("uint", 1),
];
/// `x.name(…)`, with how many arguments beside `x`.
const METHODS: [(&str, usize); 5] = [
    ("contains", 1),
    ("endsWith", 1),
    ("matches", 1),
    ("size", 0),
    ("startsWith", 1),
];
/// What the parser takes apart; as a call one is left over when it was written in another way.
const MACROS: [(&str, &str); 5] = [
    ("all", "list.all(x, condition)"),
    ("exists", "list.exists(x, condition)"),
    ("exists_one", "list.exists_one(x, condition)"),
    ("filter", "list.filter(x, condition)"),
    ("has", "has(new.column)"),
];

/// What is looked at, and what is known by now.
pub(super) struct Check<'a> {
    pub text: &'a str,
    pub source: &'a SourceInfo,
    /// The table whose columns `old` and `new` have.
    pub table: &'a ResourceDefinition,
}

impl Check<'_> {
    /// The whole expression.
    pub fn whole(&self, tree: &IdedExpr) -> Result<(), FilterFault> {
        self.expression(tree, &mut Vec::new(), false)?;
        match self.never_a_condition(tree) {
            Some((at, what)) => Err(FilterFault::at(
                at,
                format!("must be true or false, and this is {what}"),
            )),
            None => Ok(()),
        }
    }

    fn expression<'e>(
        &self,
        tree: &'e IdedExpr,
        scope: &mut Vec<&'e str>,
        in_loop: bool,
    ) -> Result<(), FilterFault> {
        match &tree.expr {
            Expr::Ident(name) => self.variable(tree, name, scope),
            Expr::Select(select) => {
                self.expression(&select.operand, scope, in_loop)?;
                self.column(&select.operand, &select.field, tree.id, scope)
            }
            Expr::Comprehension(one) => self.comprehension(tree, one, scope, in_loop),
            Expr::Struct(made) => Err(FilterFault::at(
                self.place(tree.id),
                format!(
                    "names no type: {:?}; a map is written {{'key': value}}",
                    made.type_name
                ),
            )),
            Expr::Call(call) => {
                for part in size::parts(&tree.expr) {
                    self.expression(part, scope, in_loop)?;
                }
                if call.func_name == op::INDEX
                    && let [operand, index] = call.args.as_slice()
                    && let Expr::Literal(LiteralValue::String(name)) = &index.expr
                {
                    return self.column(operand, name.inner(), index.id, scope);
                }
                self.function(
                    tree.id,
                    &call.func_name,
                    call.target.is_some(),
                    call.args.len(),
                )?;
                self.pattern(call)
            }
            Expr::List(_) | Expr::Map(_) | Expr::Literal(_) | Expr::Unspecified => {
                size::parts(&tree.expr)
                    .into_iter()
                    .try_for_each(|part| self.expression(part, scope, in_loop))
            }
        }
    }

    fn comprehension<'e>(
        &self,
        tree: &'e IdedExpr,
        one: &'e ComprehensionExpr,
        scope: &mut Vec<&'e str>,
        in_loop: bool,
    ) -> Result<(), FilterFault> {
        if in_loop {
            return Err(FilterFault::at(
                self.place(tree.id),
                "loops within a loop (exists, all or filter inside the condition of another), which takes \
                 too long on long lists",
            ));
        }
        self.expression(&one.iter_range, scope, in_loop)?;
        self.expression(&one.accu_init, scope, in_loop)?;
        let outside = scope.len();
        scope.push(&one.iter_var);
        scope.extend(one.iter_var2.as_deref());
        scope.push(&one.accu_var);
        self.expression(&one.loop_cond, scope, true)?;
        self.expression(&one.loop_step, scope, true)?;
        self.expression(&one.result, scope, true)?;
        scope.truncate(outside);
        Ok(())
    }

    fn variable(&self, tree: &IdedExpr, name: &str, scope: &[&str]) -> Result<(), FilterFault> {
        let known = |known: &[&str]| known.contains(&name);
        if known(scope) || known(&VARIABLES) || known(&TYPES) {
            return Ok(());
        }
        let is_column = |name: &str| self.table.columns.iter().any(|column| column.name == name);
        let message = if is_column(name) {
            format!("names no variable: {name:?}; write new.{name} or old.{name}")
        } else {
            let hint = nearest(name, VARIABLES).map(|near| format!("did you mean {near:?}? "));
            format!(
                "names no variable: {name:?}; {}there are old, new, resource and action",
                hint.unwrap_or_default()
            )
        };
        Err(FilterFault::at(self.place(tree.id), message))
    }

    /// `old.name`, `new["name"]`: `at` is the node that names the column.
    fn column(
        &self,
        operand: &IdedExpr,
        name: &str,
        at: u64,
        scope: &[&str],
    ) -> Result<(), FilterFault> {
        let known = || self.table.columns.iter().any(|column| column.name == name);
        if !is_row(operand, scope) || known() {
            return Ok(());
        }
        let place = self
            .place_of_name(operand, name)
            .unwrap_or_else(|| self.place(at));
        Err(FilterFault::at(place, unknown_column(self.table, name)))
    }

    fn function(
        &self,
        id: u64,
        name: &str,
        is_method: bool,
        given: usize,
    ) -> Result<(), FilterFault> {
        // What operators and macros are made of; no name of the user's can look like it.
        if name.contains(|letter: char| !letter.is_alphanumeric() && letter != '_')
            || is_operator(name)
        {
            return Ok(());
        }
        let known: &[(&str, usize)] = if is_method { &METHODS } else { &FUNCTIONS };
        let place = self.place_before_call(id, name);
        if let Some((_, wanted)) = known.iter().find(|one| one.0 == name) {
            return if *wanted == given {
                Ok(())
            } else {
                let message = format!("gives {name} {given} arguments; it takes {wanted}");
                Err(FilterFault::at(place, message))
            };
        }
        let message = if let Some((_, usage)) = MACROS.iter().find(|one| one.0 == name) {
            format!("uses {name} in a way that it can not be used: write {usage}")
        } else {
            let names = || {
                FUNCTIONS
                    .iter()
                    .chain(&METHODS)
                    .map(|one| one.0)
                    .chain(MACROS.map(|one| one.0))
            };
            let hint = match (nearest(name, names()), name) {
                (_, "timestamp" | "duration" | "now") => {
                    "; times are texts here, and compare as texts: new.due < '2026-05-01'"
                        .to_owned()
                }
                (Some(near), _) => format!("; did you mean {near:?}?"),
                (None, _) => {
                    let mut names: Vec<&str> = names().collect();
                    names.sort_unstable();
                    names.dedup();
                    format!("; there are {}", names.join(", "))
                }
            };
            format!("names no function: {name:?}{hint}")
        };
        Err(FilterFault::at(place, message))
    }

    /// A pattern that stands in the expression is read now, not at the first change.
    fn pattern(&self, call: &cel::common::ast::CallExpr) -> Result<(), FilterFault> {
        if call.func_name != "matches" {
            return Ok(());
        }
        let Some(last) = call.args.last() else {
            return Ok(());
        };
        let Expr::Literal(LiteralValue::String(pattern)) = &last.expr else {
            return Ok(());
        };
        patterns::compile(pattern.inner())
            .map(|_| ())
            .map_err(|error| {
                FilterFault::at(
                    self.place(last.id),
                    format!("holds a pattern that can not be used: {error}"),
                )
            })
    }

    /// Where and what an expression is that can be no condition, as far as that can be told.
    fn never_a_condition(&self, tree: &IdedExpr) -> Option<(Place, String)> {
        let is = |what: &str| Some((self.place(tree.id), what.to_owned()));
        match &tree.expr {
            Expr::Literal(LiteralValue::Boolean(_)) | Expr::Unspecified | Expr::Struct(_) => None,
            Expr::Literal(LiteralValue::String(_)) => is("a text"),
            Expr::Literal(LiteralValue::Null) => is("null"),
            Expr::Literal(LiteralValue::Bytes(_)) => is("bytes"),
            Expr::Literal(_) => is("a number"),
            Expr::List(_) => is("a list"),
            Expr::Map(_) => is("a map"),
            Expr::Ident(name) if matches!(name.as_str(), "old" | "new") => is("a row"),
            Expr::Ident(name) if VARIABLES.contains(&name.as_str()) => is("a text"),
            Expr::Ident(_) => None,
            Expr::Comprehension(one) => match &one.accu_init.expr {
                Expr::List(_) => is("a list"),
                _ => None,
            },
            Expr::Select(select) if !select.test => {
                let mut columns = self.table.columns.iter();
                let column = columns.find(|one| one.name == select.field)?;
                if !is_row(&select.operand, &[]) || can_be_boolean(&column.data_type) {
                    return None;
                }
                let place = self.place_of_name(&select.operand, &select.field);
                let what = format!("a column of type {}", column.data_type);
                Some((place.unwrap_or_else(|| self.place(tree.id)), what))
            }
            Expr::Select(_) => None,
            Expr::Call(call) => match call.func_name.as_str() {
                op::LOGICAL_AND | op::LOGICAL_OR | op::LOGICAL_NOT => {
                    call.args.iter().find_map(|one| self.never_a_condition(one))
                }
                op::CONDITIONAL => call
                    .args
                    .iter()
                    .skip(1)
                    .find_map(|one| self.never_a_condition(one)),
                op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO | op::NEGATE => {
                    is("a sum, product or the like")
                }
                "size" | "int" | "uint" | "double" => is("a number"),
                "string" => is("a text"),
                "bytes" => is("bytes"),
                "type" => is("a type"),
                _ => None,
            },
        }
    }

    fn place(&self, id: u64) -> Place {
        let (begin, _) = self.source.offset_for(id).unwrap_or_default();
        Place::of_byte(self.text, begin as usize)
    }

    /// The parser's place of `new.name` is the point.
    fn place_of_name(&self, operand: &IdedExpr, name: &str) -> Option<Place> {
        let Expr::Ident(variable) = &operand.expr else {
            return None;
        };
        let (begin, _) = self.source.offset_for(operand.id)?;
        let after = begin as usize + variable.len();
        let between = self.text.get(after..)?.find(name)?;
        Some(Place::of_byte(self.text, after + between))
    }

    /// The parser's place of a call is the bracket.
    fn place_before_call(&self, id: u64, name: &str) -> Place {
        let (bracket, _) = self.source.offset_for(id).unwrap_or_default();
        let before = self.text.get(..bracket as usize).unwrap_or_default();
        let begin = before
            .trim_end()
            .strip_suffix(name)
            .map_or(before.len(), str::len);
        Place::of_byte(self.text, begin)
    }
}

fn is_row(operand: &IdedExpr, scope: &[&str]) -> bool {
    matches!(&operand.expr, Expr::Ident(name)
        if matches!(name.as_str(), "old" | "new") && !scope.contains(&name.as_str()))
}

fn is_operator(name: &str) -> bool {
    name.starts_with('_') || name.ends_with('_')
}

/// What is said of a name that is no column of the table, as the end of a sentence.
pub fn unknown_column(table: &ResourceDefinition, name: &str) -> String {
    if table.exclude.iter().any(|excluded| excluded == name) {
        return format!("names column {name:?}, which is excluded: it never leaves the database");
    }
    let known = || table.columns.iter().map(|column| column.name.as_str());
    let hint = match nearest(name, known()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("its columns are {}", known().collect::<Vec<_>>().join(", ")),
    };
    format!("names no column of {}: {name:?}; {hint}", table.table)
}

/// Whether a column of a type may hold true and false. Neither database's booleans have one of these names,
/// and a type that is not known here may be anything, so only what is certain is listed. SQLite writes what
/// is stored, and stores no booleans outside of JSON.
fn can_be_boolean(data_type: &str) -> bool {
    const NEVER: [&str; 17] = [
        "text",
        "character",
        "char",
        "varchar",
        "int",
        "integer",
        "bigint",
        "smallint",
        "numeric",
        "decimal",
        "real",
        "double",
        "float",
        "timestamp",
        "date",
        "time",
        "uuid",
    ];
    let data_type = data_type.to_ascii_lowercase();
    let first = data_type.split([' ', '(']).next().unwrap_or_default();
    !NEVER.contains(&first)
}
