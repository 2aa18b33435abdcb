//! A GraphQL subscription's document as the query that runs for each thing that is pushed.
//!
//! The specification (October 2021, §6.2.3) runs the subscription's selection set anew for each event of
//! its source. So the operation becomes a query over the schema whose query root is `Subscription`; what it
//! does not reach is blanked out, as that root knows nothing of it. No character moves, so that errors still
//! name the client's own lines and columns.

use std::collections::{HashMap, HashSet};

use juniper::{
    Definition, OperationType, SchemaType, Selection,
    parser::{SourcePosition, parse_document_source},
};

use super::scalar::ApiScalar;

/// The word that an operation begins with, and what stands in its place: as long as it was.
const KEYWORD: &str = "subscription";
const QUERY: &str = "query       ";

/// A subscription as a query.
#[derive(Debug, PartialEq, Eq)]
pub struct LiveQuery {
    /// Its text.
    pub text: String,
    /// Whether it has exactly one field at its root, and not one of introspection (§5.2.3.1).
    pub has_one_field: bool,
}

/// The query for a subscription of a document; `None` when no subscription is to run.
pub fn as_query(
    text: &str,
    operation_name: Option<&str>,
    schema: &SchemaType<ApiScalar>,
) -> Option<LiveQuery> {
    let document = parse_document_source(text, schema).ok()?;
    let mut fragments = HashMap::new();
    let mut wanted = None;
    for definition in &document {
        match definition {
            Definition::Fragment(fragment) => {
                let (name, inside) = (fragment.item.name.item, &fragment.item.selection_set);
                fragments.insert(name, &inside[..]);
            }
            Definition::Operation(operation) => {
                let name = operation.item.name.as_ref().map(|name| name.item);
                let subscribes = operation.item.operation_type == OperationType::Subscription;
                if subscribes && (operation_name.is_none() || name == operation_name) {
                    wanted = Some(operation);
                }
            }
        }
    }
    let operation = wanted?;
    let mut reached = HashSet::new();
    reach(&operation.item.selection_set, &fragments, &mut reached);
    let bytes = Bytes::of(text);
    let mut query = text.to_owned();
    // From the last to the first, so that what is still to be changed stays where it was.
    for definition in document.iter().rev() {
        let (start, end) = match definition {
            Definition::Operation(other) if other.span.start == operation.span.start => {
                let start = bytes.at(&operation.span.start);
                query.replace_range(start..start + KEYWORD.len(), QUERY);
                continue;
            }
            Definition::Fragment(fragment) if reached.contains(fragment.item.name.item) => continue,
            Definition::Operation(other) => (other.span.start, other.span.end),
            Definition::Fragment(fragment) => (fragment.span.start, fragment.span.end),
        };
        let range = bytes.at(&start)..bytes.at(&end);
        let blanks = blanks(&text[range.clone()]);
        query.replace_range(range, &blanks);
    }
    let mut roots = HashMap::new();
    let inside = &operation.item.selection_set;
    root_fields(inside, &fragments, &mut HashSet::new(), &mut roots);
    Some(LiveQuery {
        text: query,
        has_one_field: roots.len() == 1 && !roots.values().any(|name| name.starts_with("__")),
    })
}

type Inside<'p, 'a> = &'p [Selection<'a, ApiScalar>];

/// The names of all fragments that a selection comes to.
fn reach<'a>(
    inside: Inside<'_, 'a>,
    fragments: &HashMap<&'a str, Inside<'_, 'a>>,
    reached: &mut HashSet<&'a str>,
) {
    for selection in inside {
        match selection {
            Selection::Field(field) => {
                let inside = field.item.selection_set.as_deref().unwrap_or_default();
                reach(inside, fragments, reached);
            }
            Selection::InlineFragment(inline) => {
                reach(&inline.item.selection_set, fragments, reached);
            }
            Selection::FragmentSpread(spread) => {
                let name = spread.item.name.item;
                if reached.insert(name)
                    && let Some(inside) = fragments.get(name)
                {
                    reach(inside, fragments, reached);
                }
            }
        }
    }
}

/// The keys of the response at the root, and the fields that they stand for.
fn root_fields<'a>(
    inside: Inside<'_, 'a>,
    fragments: &HashMap<&'a str, Inside<'_, 'a>>,
    seen: &mut HashSet<&'a str>,
    keys: &mut HashMap<&'a str, &'a str>,
) {
    for selection in inside {
        match selection {
            Selection::Field(field) => {
                let (name, alias) = (field.item.name.item, field.item.alias.as_ref());
                keys.insert(alias.map_or(name, |alias| alias.item), name);
            }
            Selection::InlineFragment(inline) => {
                root_fields(&inline.item.selection_set, fragments, seen, keys);
            }
            Selection::FragmentSpread(spread) => {
                let name = spread.item.name.item;
                if seen.insert(name)
                    && let Some(inside) = fragments.get(name)
                {
                    root_fields(inside, fragments, seen, keys);
                }
            }
        }
    }
}

/// A space for each letter; lines stay lines.
fn blanks(text: &str) -> String {
    let letters = text.chars();
    letters
        .map(|letter| match letter {
            '\n' | '\r' => letter,
            _ => ' ',
        })
        .collect()
}

/// juniper counts characters, Rust's strings count bytes.
struct Bytes {
    starts: Vec<usize>,
    length: usize,
}

impl Bytes {
    fn of(text: &str) -> Self {
        Self {
            starts: text.char_indices().map(|(byte, _)| byte).collect(),
            length: text.len(),
        }
    }

    fn at(&self, position: &SourcePosition) -> usize {
        let start = self.starts.get(position.index()).copied();
        start.unwrap_or(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::resource::Catalogue, graphql::schema};

    fn query(text: &str, name: Option<&str>) -> Option<LiveQuery> {
        as_query(text, name, &schema::build(&Catalogue::default()).schema)
    }

    #[test]
    fn only_what_the_operation_reaches_stays_and_nothing_moves() {
        let text = r#"query Other { webhookEvents { ...unused } } # "é"
subscription S { ...root }
fragment unused on WebhookEvent { id
  status }
fragment root on Subscription { webhookEventChanged { ...deep } }
fragment deep on WebhookEvent { id }"#;
        let made = query(text, Some("S")).unwrap();
        assert!(made.has_one_field);
        let lines: Vec<&str> = made.text.lines().collect();
        assert_eq!(lines[0].trim(), "# \"é\"");
        assert_eq!(lines[1], "query        S { ...root }");
        assert!(lines[2].trim().is_empty() && lines[3].trim().is_empty());
        assert_eq!(
            lines[4..].join("\n"),
            text.lines().collect::<Vec<_>>()[4..].join("\n")
        );
        assert_eq!(query(text, Some("Other")), None);
        assert_eq!(query("query Ü { a }", None), None, "no GraphQL");
    }

    #[test]
    fn there_is_one_field_at_the_root() {
        for (selection, one) in [
            (
                "webhookEventChanged { id } webhookEventChanged { status }",
                true,
            ),
            (
                "a: webhookEventChanged { id } ... { b: webhookEventChanged { id } }",
                false,
            ),
            ("webhookEventChanged { id } __typename", false),
            ("__typename", false),
        ] {
            let found = query(&format!("subscription {{ {selection} }}"), None).unwrap();
            assert_eq!(found.has_one_field, one, "{selection}");
        }
    }
}
