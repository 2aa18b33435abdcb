//! `rowhook schema`: the GraphQL schema of this deployment.

use clap::Args;

use crate::{
    app,
    domain::{
        ids::ResourceId,
        resource::{Catalogue, Resource, ResourceDefinition},
    },
    graphql,
    store::sql::db::Dialect,
};

use super::{ConfigArgs, Failure};

/// Print the GraphQL schema (SDL) of this deployment's catalogue
///
/// It follows from the configuration alone: ResourceEnum holds the resources that rowhook.toml names. Give it to
/// a code generator: rowhook schema > schema.graphql
#[derive(Args)]
pub struct SchemaArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

/// No database is asked.
pub fn run(args: &SchemaArgs) -> Result<(), Failure> {
    let settings = args.config.load()?;
    // The schema shows names alone, so which database they are on does not matter.
    let wanted = app::needed_resources(&settings, Dialect::Postgres)?;
    let resources = wanted.into_iter().map(|one| Resource {
        id: ResourceId(0),
        name: one.name,
        aliases: one.aliases,
        definition: ResourceDefinition {
            table: one.table,
            columns: Vec::new(),
            key: one.key,
            etag: one.etag,
            exclude: one.exclude,
            on_truncate: one.on_truncate,
        },
    });
    print!("{}", graphql::sdl(&Catalogue::new(resources.collect())));
    Ok(())
}
