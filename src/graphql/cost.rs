//! How many values an answer could hold, told from the document before anything runs.
//!
//! Each field counts one. What stands inside a list counts once for each element that the list may have: the
//! size of the page that is asked for, or [`FEW`] where a list has no page; and a few fields count as many,
//! since they cost the database much. So a document of a few lines can not ask for a hundred million values.

use std::collections::HashMap;

use juniper::{Definition, InputValue, SchemaType, Selection, Spanning, Type, meta::MetaType};
use serde_json::{Map, Value};

use super::{
    connection::{DEFAULT_PAGE, LARGEST_PAGE},
    error::{ApiError, Code},
    scalar::ApiScalar,
};

/// Values that one answer may hold.
const MOST_VALUES: u64 = 1_000_000;
/// Elements of a list that has no page: headers, attempts, resources.
const FEW: u64 = 10;
/// Fields that ask much of the database for themselves, and how many values each counts as.
const HEAVY: [(&str, u64); 9] = [
    ("webhookCapture", 50_000),
    ("webhookPipeline", 10_000),
    ("webhookInstances", 10_000),
    ("webhookStats", 10_000),
    ("webhookStatsHistory", 50_000),
    ("totalCount", 20_000),
    ("testWebhookFilter", 100_000),
    ("checkWebhookUri", 50_000),
    ("webhookDoctor", 200_000),
];
/// The arguments that name the size of a page.
const SIZES: [&str; 4] = ["first", "last", "limit", "steps"];

/// Counts the values of the operations that may run, and refuses what asks for too many.
pub fn check(
    document: &[Definition<'_, ApiScalar>],
    operation_name: Option<&str>,
    schema: &SchemaType<ApiScalar>,
    variables: &Map<String, Value>,
) -> Result<(), ApiError> {
    let mut fragments = HashMap::new();
    for definition in document {
        if let Definition::Fragment(fragment) = definition {
            let on = schema.concrete_type_by_name(fragment.item.type_condition.item);
            let inside = &fragment.item.selection_set[..];
            fragments.insert(fragment.item.name.item, Fragment { on, inside });
        }
    }
    for definition in document {
        let Definition::Operation(operation) = definition else {
            continue;
        };
        let name = operation.item.name.as_ref().map(|name| name.item);
        if operation_name.is_some() && name != operation_name {
            continue;
        }
        let root = match operation.item.operation_type {
            juniper::OperationType::Query => Some(schema.concrete_query_type()),
            juniper::OperationType::Mutation => schema.concrete_mutation_type(),
            juniper::OperationType::Subscription => schema.concrete_subscription_type(),
        };
        let mut values = variables.clone();
        let declared = operation.item.variables_definition.iter();
        for (name, variable) in declared.flat_map(|all| all.item.iter()) {
            if let Some(size) = variable.default_value.as_ref().and_then(literal) {
                values.entry(name.item).or_insert_with(|| size.into());
            }
        }
        let mut count = Count {
            schema,
            fragments: &fragments,
            counted: HashMap::new(),
            variables: &values,
        };
        let values = count.inside(&operation.item.selection_set, root, 1);
        if values > MOST_VALUES {
            let message = format!(
                "the answer could hold {values} values, and {MOST_VALUES} is the most: ask for smaller pages \
                 (`first`, `last`, `limit`) or for fewer lists inside of lists"
            );
            return Err(ApiError::new(Code::Limit, message));
        }
    }
    Ok(())
}

struct Fragment<'p, 'a> {
    on: Option<&'p MetaType<ApiScalar>>,
    inside: &'p [Selection<'a, ApiScalar>],
}

struct Count<'p, 'a> {
    schema: &'p SchemaType<ApiScalar>,
    fragments: &'p HashMap<&'a str, Fragment<'p, 'a>>,
    /// What fragments come to in pages of a size: each is counted once, however often it is spread.
    counted: HashMap<(&'a str, u64), u64>,
    variables: &'p Map<String, Value>,
}

impl<'p, 'a> Count<'p, 'a> {
    /// `around`: the size of the page that this stands in, where it is a connection.
    fn inside(
        &mut self,
        selections: &'p [Selection<'a, ApiScalar>],
        on: Option<&'p MetaType<ApiScalar>>,
        around: u64,
    ) -> u64 {
        selections.iter().fold(0, |sum: u64, selection| {
            sum.saturating_add(match selection {
                Selection::Field(field) => {
                    let meta = on.and_then(|on| on.field_by_name(field.item.name.item));
                    let Some(meta) = meta else {
                        return sum.saturating_add(1);
                    };
                    let inner = meta.field_type.innermost_name();
                    let inside = field.item.selection_set.as_deref().unwrap_or_default();
                    let arguments = field.item.arguments.as_ref();
                    let size = arguments.and_then(|given| {
                        let mut given = given.item.iter();
                        given.find_map(|(name, value)| {
                            SIZES
                                .contains(&name.item)
                                .then(|| self.size(value))
                                .flatten()
                        })
                    });
                    let mut takes = meta.arguments.iter().flatten();
                    let takes_size = takes.any(|argument| SIZES.contains(&&*argument.name));
                    // The size of a connection's page, for its edges.
                    let page_size = size.unwrap_or_else(|| page(DEFAULT_PAGE));
                    let inner_type = self.schema.concrete_type_by_name(inner);
                    let each = self.inside(inside, inner_type, page_size);
                    let elements = match (takes_size, size) {
                        // Where its edges stand the page's size counts.
                        _ if inner.ends_with("Connection") => 1,
                        (true, Some(size)) => size,
                        (true, None) => page(DEFAULT_PAGE),
                        (false, _) if field.item.name.item == "edges" => around,
                        (false, _) if is_list(&meta.field_type) => FEW,
                        (false, _) => 1,
                    };
                    let heavy = HEAVY.iter().find(|one| one.0 == field.item.name.item);
                    let own = heavy.map_or(1, |one| one.1);
                    each.saturating_mul(elements).saturating_add(own)
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.item.type_condition.as_ref();
                    let on = condition.map_or(on, |condition| {
                        self.schema.concrete_type_by_name(condition.item)
                    });
                    self.inside(&inline.item.selection_set, on, around)
                }
                Selection::FragmentSpread(spread) => self.fragment(spread.item.name.item, around),
            })
        })
    }

    fn fragment(&mut self, name: &'a str, around: u64) -> u64 {
        if let Some(counted) = self.counted.get(&(name, around)) {
            return *counted;
        }
        let Some(fragment) = self.fragments.get(name) else {
            return 0;
        };
        // One that comes to itself counts nothing there: juniper refuses it.
        self.counted.insert((name, around), 0);
        let values = self.inside(fragment.inside, fragment.on, around);
        self.counted.insert((name, around), values);
        values
    }

    /// The size of a page, if it is one; what is none is refused where the field runs.
    fn size(&self, given: &Spanning<InputValue<ApiScalar>>) -> Option<u64> {
        let size = match &given.item {
            InputValue::Variable(name) => self.variables.get(name).and_then(Value::as_i64),
            _ => literal(given),
        };
        let size = i32::try_from(size?).ok()?;
        Some(page(size))
    }
}

fn page(size: i32) -> u64 {
    u64::try_from(size.min(LARGEST_PAGE)).unwrap_or_default()
}

fn literal(value: &Spanning<InputValue<ApiScalar>>) -> Option<i64> {
    value.item.as_scalar().and_then(ApiScalar::as_i64)
}

fn is_list<N: AsRef<str>>(of: &Type<N>) -> bool {
    of.to_string().contains('[')
}
