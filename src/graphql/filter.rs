//! What narrows a subscription: `changedFields` and `filter`, checked against the table's columns.

use crate::{
    domain::{action::Action, resource::ResourceName},
    policy::filter::{Filter, unknown_column},
};

use super::{
    context::Context,
    error::{ApiError, InputPath},
};

/// As a client gives them, or as they stay; what is absent needs no check.
#[derive(Clone, Copy, Debug)]
pub struct Narrowed<'a> {
    /// `input.changedFields`.
    pub changed_fields: Option<&'a [String]>,
    /// `input.filter`.
    pub filter: Option<&'a str>,
}

impl Narrowed<'_> {
    /// Refuses what no subscription of this resource and action can have.
    pub fn check(
        self,
        context: &Context,
        resource: &ResourceName,
        action: Action,
    ) -> Result<(), ApiError> {
        if let Some(columns) = self.changed_fields {
            check_columns(context, columns, resource, action)?;
        }
        self.filter
            .map_or(Ok(()), |filter| check_filter(context, filter, resource))
    }
}

/// The columns, each once, where it stands first.
pub fn without_doubles(columns: Vec<String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        if !once.contains(&column) {
            once.push(column);
        }
    }
    once
}

/// `changedFields` are for UPDATE alone, name columns of the resource, and name at least one.
fn check_columns(
    context: &Context,
    columns: &[String],
    resource: &ResourceName,
    action: Action,
) -> Result<(), ApiError> {
    let at = InputPath::argument("input").field("changedFields");
    if action != Action::Update {
        return Err(at.refuse(format!(
            "has a meaning for action UPDATE alone, not for {action}; set it to null"
        )));
    }
    if columns.is_empty() {
        return Err(at.refuse("must name at least one column; null means any column"));
    }
    let catalogue = context.services.catalogue.now();
    let Some(resource) = catalogue.find(resource.as_str()) else {
        return Err(at.refuse(not_watched(resource)));
    };
    let table = &resource.definition;
    for (index, column) in columns.iter().enumerate() {
        if !table.columns.iter().any(|known| known.name == *column) {
            return Err(at.index(index).refuse(unknown_column(table, column)));
        }
    }
    Ok(())
}

fn check_filter(context: &Context, text: &str, resource: &ResourceName) -> Result<(), ApiError> {
    let at = InputPath::argument("input").field("filter");
    let catalogue = context.services.catalogue.now();
    let Some(resource) = catalogue.find(resource.as_str()) else {
        return Err(at.refuse(not_watched(resource)));
    };
    Filter::checked(text, &resource.definition)
        .map(|_| ())
        .map_err(|fault| at.refuse(fault))
}

fn not_watched(resource: &ResourceName) -> String {
    format!("can not be checked: resource {resource} is no longer in the configuration")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_go_and_the_order_stays() {
        let columns = ["b", "a", "b", "a"].map(str::to_owned).to_vec();
        assert_eq!(without_doubles(columns), ["b", "a"]);
    }
}
