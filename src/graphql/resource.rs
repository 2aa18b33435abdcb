//! `webhookResources`: what this deployment watches.

use juniper::GraphQLObject;

use crate::domain::resource::Resource;

use super::{context::Context, resource_enum::ResourceEnum, scalar::ApiScalar};

/// A watched table under its public name.
#[derive(Clone, Debug, PartialEq, Eq, GraphQLObject)]
#[graphql(name = "WebhookResource", context = Context, scalar = ApiScalar)]
pub struct WebhookResource {
    /// The public name; deliveries carry it in lower case.
    pub name: ResourceEnum,
    /// The table as SQL names it, quoted where needed.
    pub table: String,
    /// The columns that identify a row, in key order; their values are `data.id` of a delivery.
    pub key: Vec<String>,
    /// The columns that deliveries can carry, in the table's order. Excluded columns are not among
    /// them: they never leave the database.
    pub columns: Vec<String>,
    /// Other names that the API accepts for this resource.
    pub aliases: Vec<String>,
}

impl From<&Resource> for WebhookResource {
    fn from(resource: &Resource) -> Self {
        let columns = resource.definition.columns.iter();
        let aliases = resource.aliases.iter();
        Self {
            name: (&resource.name).into(),
            table: resource.definition.table.clone(),
            key: resource.definition.key.clone(),
            columns: columns.map(|column| column.name.clone()).collect(),
            aliases: aliases.map(ToString::to_string).collect(),
        }
    }
}
