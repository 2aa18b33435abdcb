//! What is done to a client's document before juniper reads it.
//!
//! - The shorter input type names of the developer guide (`WebhookReceiverInput`) become the schema's,
//!   by what the variable is used as.
//! - Objects and lists at places of type JSON become marked strings, as juniper's parser takes only
//!   scalars there.
//! - Values of `ResourceEnum` are compared with the deployment's, as juniper would look at them only
//!   when the field runs.
//!
//! The document is parsed once for that, with a schema that knows no fields: juniper's parser is led by
//! the schema, and this one accepts everything that is GraphQL. Only the text is changed; what comes out
//! is parsed and validated by juniper as usual. Columns in later messages shift by what was put in.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    ops::Range,
    sync::OnceLock,
};

use juniper::{
    Definition, EmptyMutation, EmptySubscription, GraphQLError, InputValue, Operation, RootNode,
    SchemaType, Selection, Spanning, Type,
    meta::MetaType,
    parser::{SourcePosition, parse_document_source},
};

use serde_json::{Map, Value};

use super::{
    bare::Bare,
    cost,
    error::{ApiError, Code, RequestError, document_errors},
    resource_enum,
    scalar::ApiScalar,
    scalars::Json,
    schema, variables,
};

/// A name that clients may write, and the types that it can stand for.
const ALIASES: [(&str, [&str; 2]); 2] = [
    (
        "WebhookReceiverInput",
        ["CreateWebhookReceiverInput", "UpdateWebhookReceiverInput"],
    ),
    (
        "WebhookSubscriptionInput",
        [
            "CreateWebhookSubscriptionInput",
            "UpdateWebhookSubscriptionInput",
        ],
    ),
];

type BareSchema = RootNode<Bare, EmptyMutation<()>, EmptySubscription<()>, ApiScalar>;

/// The same for every deployment, so one for the process.
fn bare() -> &'static SchemaType<ApiScalar> {
    static SCHEMA: OnceLock<BareSchema> = OnceLock::new();
    let root = SCHEMA.get_or_init(|| {
        schema::limited(BareSchema::new_with_scalar_value(
            Bare,
            EmptyMutation::new(),
            EmptySubscription::new(),
        ))
    });
    &root.schema
}

/// A document ready for juniper.
#[derive(Debug)]
pub struct Prepared<'a> {
    /// Its text.
    pub text: Cow<'a, str>,
    /// The variables of the operation that is to run, and the types that they are declared with.
    pub variables: HashMap<String, Declared>,
}

/// The type of a variable or input field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// How many lists deep.
    pub lists: usize,
    /// What at bottom.
    pub name: String,
}

impl Declared {
    /// The type as juniper holds it.
    pub fn of<N: AsRef<str>>(expected: &Type<N>) -> Self {
        let place = Place::of(expected);
        Self {
            lists: place.lists,
            name: place.name.to_owned(),
        }
    }
}

/// The document as juniper is to read it; `operation_name` and `given`, the variables' values, are the
/// request's.
pub fn prepare<'a>(
    source: &'a str,
    operation_name: Option<&str>,
    given: &Map<String, Value>,
    schema: &SchemaType<ApiScalar>,
) -> Result<Prepared<'a>, Vec<RequestError>> {
    let document = parse_document_source(source, bare())
        .map_err(|fault| document_errors(&GraphQLError::ParseError(fault)))?;
    variables::check_texts(source, given).map_err(|error| vec![error.into()])?;
    cost::check(&document, operation_name, schema, given).map_err(|error| vec![error.into()])?;
    let mut walk = Walk {
        source,
        schema,
        bytes: None,
        edits: Vec::new(),
        faults: Vec::new(),
    };
    let parts: Vec<Part<'_>> = document
        .iter()
        .map(|definition| walk.definition(definition))
        .collect();
    let fragments: Fragments<'_, '_> = parts
        .iter()
        .filter_map(|part| Some((part.fragment?, part)))
        .collect();
    let mut variables = HashMap::new();
    for (definition, part) in document.iter().zip(&parts) {
        if let Definition::Operation(operation) = definition {
            let declared = walk.variables(&operation.item, part, &fragments);
            let name = operation.item.name.as_ref().map(|name| name.item);
            if operation_name.is_none() || name == operation_name {
                variables = declared;
            }
        }
    }
    if walk.faults.is_empty() {
        Ok(Prepared {
            text: apply(source, walk.edits),
            variables,
        })
    } else {
        Err(walk.faults)
    }
}

fn apply(source: &str, mut edits: Vec<(Range<usize>, String)>) -> Cow<'_, str> {
    if edits.is_empty() {
        return Cow::Borrowed(source);
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut text = String::with_capacity(source.len() + 64);
    let mut from = 0;
    for (range, new) in edits {
        text.push_str(&source[from..range.start]);
        text.push_str(&new);
        from = range.end;
    }
    text.push_str(&source[from..]);
    Cow::Owned(text)
}

/// What one operation or fragment uses.
#[derive(Default)]
struct Part<'a> {
    /// The fragment's name; `None` for an operation.
    fragment: Option<&'a str>,
    /// Variables, and the input types that they are used as.
    uses: Vec<(String, &'a str)>,
    /// Fragments that it spreads.
    spreads: Vec<&'a str>,
}

/// The fragments of a document by name.
type Fragments<'p, 'a> = HashMap<&'a str, &'p Part<'a>>;

/// An operation with all the fragments that it comes to, by whatever way.
fn reached<'p, 'a>(operation: &'p Part<'a>, fragments: &Fragments<'p, 'a>) -> Vec<&'p Part<'a>> {
    let mut reached = vec![operation];
    let mut seen = HashSet::new();
    let mut at = 0;
    while let Some(&part) = reached.get(at) {
        for name in &part.spreads {
            if seen.insert(*name) {
                reached.extend(fragments.get(name));
            }
        }
        at += 1;
    }
    reached
}

/// A type as seen from a value: how many lists deep, and what at bottom.
#[derive(Clone, Copy)]
struct Place<'a> {
    lists: usize,
    name: &'a str,
}

impl<'a> Place<'a> {
    fn of<N: AsRef<str>>(expected: &'a Type<N>) -> Self {
        Self {
            // juniper does not export the modifiers; its text form `[X!]` has a bracket for each list.
            lists: expected.to_string().matches('[').count(),
            name: expected.innermost_name(),
        }
    }
}

/// Looks at every argument of a document in the light of the schema. What the schema does not know is
/// passed over: juniper says so better when it validates.
struct Walk<'a> {
    source: &'a str,
    schema: &'a SchemaType<ApiScalar>,
    /// Where each character of a source that is not all ASCII begins, once somebody asked.
    bytes: Option<Vec<usize>>,
    edits: Vec<(Range<usize>, String)>,
    faults: Vec<RequestError>,
}

impl<'a> Walk<'a> {
    fn definition(&mut self, definition: &Definition<'a, ApiScalar>) -> Part<'a> {
        let mut part = Part::default();
        match definition {
            Definition::Fragment(fragment) => {
                part.fragment = Some(fragment.item.name.item);
                let on = self.known(fragment.item.type_condition.item);
                self.selections(&fragment.item.selection_set, on, &mut part);
            }
            Definition::Operation(operation) => {
                let operation = &operation.item;
                let root = match operation.operation_type {
                    juniper::OperationType::Query => "Query",
                    juniper::OperationType::Mutation => "Mutation",
                    juniper::OperationType::Subscription => "Subscription",
                };
                self.selections(&operation.selection_set, self.known(root), &mut part);
                for (_, variable) in operation
                    .variables_definition
                    .iter()
                    .flat_map(|all| all.item.iter())
                {
                    let declared = variable.var_type.item.innermost_name();
                    if let (Some(default), Some(known)) =
                        (&variable.default_value, self.known(declared))
                        && let Some(name) = known.name()
                    {
                        let lists = Place::of(&variable.var_type.item).lists;
                        self.value(default, Place { lists, name }, &mut part);
                    }
                }
            }
        }
        part
    }

    fn known(&self, name: &str) -> Option<&'a MetaType<ApiScalar>> {
        self.schema.concrete_type_by_name(name)
    }

    fn selections(
        &mut self,
        selections: &[Selection<'a, ApiScalar>],
        on: Option<&'a MetaType<ApiScalar>>,
        part: &mut Part<'a>,
    ) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let field = &field.item;
                    let meta = on.and_then(|on| on.field_by_name(field.name.item));
                    let expected = meta.and_then(|meta| meta.arguments.as_ref());
                    for (name, value) in field.arguments.iter().flat_map(|all| all.item.iter()) {
                        let argument =
                            expected.and_then(|all| all.iter().find(|one| one.name == name.item));
                        if let Some(argument) = argument {
                            self.value(value, Place::of(&argument.arg_type), part);
                        }
                    }
                    let inner = meta.and_then(|meta| self.known(meta.field_type.innermost_name()));
                    let inside = field.selection_set.as_deref().unwrap_or_default();
                    self.selections(inside, inner, part);
                }
                Selection::FragmentSpread(spread) => part.spreads.push(spread.item.name.item),
                Selection::InlineFragment(inline) => {
                    let condition = inline.item.type_condition.as_ref();
                    let on = condition.map_or(on, |condition| self.known(condition.item));
                    self.selections(&inline.item.selection_set, on, part);
                }
            }
        }
    }

    fn value(
        &mut self,
        value: &Spanning<InputValue<ApiScalar>>,
        place: Place<'a>,
        part: &mut Part<'a>,
    ) {
        match &value.item {
            InputValue::Variable(name) => part.uses.push((name.clone(), place.name)),
            InputValue::List(items) if place.lists > 0 => {
                let lists = place.lists - 1;
                for item in items {
                    self.value(item, Place { lists, ..place }, part);
                }
            }
            InputValue::List(_) | InputValue::Object(_) if place.name == "JSON" => self.json(value),
            InputValue::Object(fields) => {
                let expected = self.known(place.name);
                for (name, value) in fields {
                    let field = expected.and_then(|meta| meta.input_field_by_name(&name.item));
                    if let Some(field) = field {
                        self.value(value, Place::of(&field.arg_type), part);
                    }
                }
            }
            InputValue::Enum(name) if place.name == resource_enum::NAME => {
                self.resource(name, &value.span.start);
            }
            InputValue::Null
            | InputValue::Scalar(_)
            | InputValue::Enum(_)
            | InputValue::List(_) => {}
        }
    }

    /// A JSON literal becomes a string that `Json` reads back.
    fn json(&mut self, value: &Spanning<InputValue<ApiScalar>>) {
        if !value.item.referenced_variables().is_empty() {
            return self.fault(
                "a JSON value written in the document can hold no variables; give the whole value as \
                 one variable of type JSON",
                &value.span.start,
            );
        }
        let json = serde_json::to_string(&value.item);
        let literal =
            json.and_then(|json| serde_json::to_string(&format!("{}{json}", Json::LITERAL_MARK)));
        // A GraphQL string has JSON's escapes.
        match literal {
            Ok(literal) => {
                let range = self.byte(value.span.start)..self.byte(value.span.end);
                self.edits.push((range, literal));
            }
            Err(error) => self.fault(&format!("not a JSON value: {error}"), &value.span.start),
        }
    }

    fn resource(&mut self, given: &str, at: &SourcePosition) {
        let Some(MetaType::Enum(resources)) = self.known(resource_enum::NAME) else {
            return;
        };
        if !resources.values.iter().any(|known| known.name == given) {
            let message =
                format!("{given} is no resource of this deployment; webhookResources lists them");
            self.fault(&message, at);
        }
    }

    fn fault(&mut self, message: &str, at: &SourcePosition) {
        self.faults.push(RequestError {
            error: ApiError::new(Code::Validation, message),
            locations: vec![at.into()],
        });
    }

    /// juniper counts characters, Rust's strings count bytes.
    fn byte(&mut self, position: SourcePosition) -> usize {
        let source = self.source;
        if source.is_ascii() {
            return position.index();
        }
        let bytes = self
            .bytes
            .get_or_insert_with(|| source.char_indices().map(|(byte, _)| byte).collect());
        let byte = bytes.get(position.index()).copied();
        byte.unwrap_or(source.len())
    }

    /// The variables of an operation. Those that are declared with a shorter name get the type that they
    /// are used as.
    fn variables(
        &mut self,
        operation: &Operation<'_, ApiScalar>,
        part: &Part<'_>,
        fragments: &Fragments<'_, '_>,
    ) -> HashMap<String, Declared> {
        let mut variables = HashMap::new();
        let definitions = operation.variables_definition.iter();
        for (variable, definition) in definitions.flat_map(|all| all.item.iter()) {
            let name = definition.var_type.item.innermost_name();
            let mut declared = Declared::of(&definition.var_type.item);
            if let Some(real) = real_name(variable.item, name, part, fragments) {
                // The name is a slice of the source: its address says where it stands.
                let start = name.as_ptr() as usize - self.source.as_ptr() as usize;
                self.edits
                    .push((start..start + name.len(), real.to_owned()));
                real.clone_into(&mut declared.name);
            }
            variables.insert(variable.item.to_owned(), declared);
        }
        variables
    }
}

/// The type that a shorter name stands for, by the places where the variable is used.
fn real_name(
    variable: &str,
    declared: &str,
    operation: &Part<'_>,
    fragments: &Fragments<'_, '_>,
) -> Option<&'static str> {
    let (_, candidates) = ALIASES.iter().find(|(alias, _)| *alias == declared)?;
    let reached = reached(operation, fragments);
    let used_as = |candidate: &str| {
        let mut uses = reached.iter().flat_map(|part| &part.uses);
        uses.any(|(name, used_as)| name == variable && *used_as == candidate)
    };
    candidates.iter().copied().find(|one| used_as(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::resource::Catalogue;

    fn prepared(source: &str) -> Result<String, Vec<RequestError>> {
        let schema = schema::build(&Catalogue::default());
        prepare(source, None, &Map::new(), &schema.schema)
            .map(|prepared| prepared.text.into_owned())
    }

    #[test]
    fn an_ordinary_document_is_left_alone() {
        let source = "query Q($id: Int!) { webhookReceiver(id: $id) { id name } }";
        let schema = schema::build(&Catalogue::default());
        let prepared = prepare(source, None, &Map::new(), &schema.schema).unwrap();
        assert!(matches!(prepared.text, Cow::Borrowed(same) if same == source));
        assert_eq!(prepared.variables["id"].name, "Int");
    }

    #[test]
    fn short_names_become_what_the_variable_is_used_as() {
        let source =
            "mutation A($é: WebhookReceiverInput!) { createWebhookReceiver(input: $é) { x } }";
        assert!(prepared(source).is_err(), "only ASCII names are GraphQL");
        let source = r#"# §
            mutation A($input: WebhookReceiverInput!) { ...make }
            mutation B($input: WebhookReceiverInput!) {
                updateWebhookReceiver(input: $input) { webhookReceiver { id } }
            }
            fragment make on Mutation { ...really }
            fragment really on Mutation {
                createWebhookReceiver(input: $input) { webhookReceiver { id } }
            }"#;
        let text = prepared(source).unwrap();
        assert!(
            text.contains("A($input: CreateWebhookReceiverInput!)"),
            "{text}"
        );
        assert!(
            text.contains("B($input: UpdateWebhookReceiverInput!)"),
            "{text}"
        );
        assert!(text.starts_with("# §"));
    }

    #[test]
    fn json_literals_become_marked_strings() {
        let text = prepared(
            "{ a: webhookEvents(filters: {rowId: {id: 9007199254740993, k: \"ü\"}, limit: 1}) { id } }",
        )
        .unwrap();
        let marked = format!(
            "{}{}",
            Json::LITERAL_MARK,
            r#"{"id":9007199254740993,"k":"ü"}"#
        );
        let literal = serde_json::to_string(&marked).unwrap();
        assert_eq!(
            text,
            format!("{{ a: webhookEvents(filters: {{rowId: {literal}, limit: 1}}) {{ id }} }}")
        );
    }

    #[test]
    fn a_json_literal_with_a_variable_is_refused() {
        let faults =
            prepared("query($x: Int) { webhookEvents(filters: {rowId: {id: $x}}) { id } }")
                .unwrap_err();
        assert!(faults[0].error.message.contains("no variables"));
        assert_eq!(faults[0].locations[0].line, 1);
    }

    #[test]
    fn unknown_resources_are_found_before_anything_runs() {
        let source = "mutation { createWebhookSubscription(
            input: {receiverId: 1, resource: NOPE, action: CREATE}) { webhookSubscription { id } } }";
        let faults = prepared(source).unwrap_err();
        assert!(faults[0].error.message.starts_with("NOPE is no resource"));
        assert_eq!(faults[0].locations[0].line, 2);
        let source =
            "query($r: ResourceEnum = NOPE) { webhookEvents(filters: {resource: $r}) { id } }";
        assert!(prepared(source).is_err());
    }
}
