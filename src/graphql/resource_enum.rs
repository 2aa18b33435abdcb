//! `ResourceEnum`: the one type of the schema that is made at run time, from the deployment's catalogue.
//!
//! juniper asks a type for its values once, while the schema is built, through a function without
//! arguments of ours; its macros allow no type information of our own on the fields that use it. So the
//! values are laid ready for the time of the building, on the thread that builds, and each schema keeps
//! its own: several can live in one process.

use std::{cell::RefCell, ops::Deref};

use juniper::{
    BoxFuture, ExecutionResult, Executor, FromInputValue, GraphQLType, GraphQLValue,
    GraphQLValueAsync, InputValue, Registry, ScalarValue as _, Selection, ToInputValue, Value,
    arcstr,
    macros::reflect,
    marker::{IsInputType, IsOutputType},
    meta,
};

use crate::domain::resource::{Catalogue, ResourceName};

use super::scalar::ApiScalar;

/// The type's name in the schema.
pub const NAME: &str = "ResourceEnum";

/// The only value of a catalogue without resources: GraphQL knows no enum without values.
const NOTHING: &str = "NO_RESOURCES";

const DESCRIPTION: &str = "A watched table of this deployment, under its public name. The values come \
    from the configuration ([[resources]]); deprecated ones are aliases, which are accepted and read \
    back as the name that their reason gives.";

thread_local! {
    /// The values of the schema that this thread is building.
    static BUILDING: RefCell<Vec<meta::EnumValue>> = const { RefCell::new(Vec::new()) };
}

/// Runs `build` with the values of this catalogue.
pub(super) fn with_values<T>(catalogue: &Catalogue, build: impl FnOnce() -> T) -> T {
    BUILDING.set(values(catalogue));
    let built = build();
    BUILDING.take();
    built
}

fn values(catalogue: &Catalogue) -> Vec<meta::EnumValue> {
    let mut values = Vec::new();
    for resource in catalogue.resources() {
        values.push(
            meta::EnumValue::new(resource.name.as_str())
                .description(format!("Table {}.", resource.definition.table)),
        );
        for alias in &resource.aliases {
            let mend = format!("use {}", resource.name);
            values.push(meta::EnumValue::new(alias.as_str()).deprecated(Some(mend)));
        }
    }
    if values.is_empty() {
        let mend = "no resource is configured; add a [[resources]] entry";
        values.push(meta::EnumValue::new(NOTHING).deprecated(Some(mend)));
    }
    values
}

/// A name as the client gave it, perhaps an alias; or as a record holds it, always canonical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceEnum(String);

impl Deref for ResourceEnum {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&ResourceName> for ResourceEnum {
    fn from(name: &ResourceName) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl GraphQLType<ApiScalar> for ResourceEnum {
    fn name(_: &()) -> Option<arcstr::ArcStr> {
        Some(arcstr::literal!("ResourceEnum"))
    }

    fn meta(info: &(), registry: &mut Registry<ApiScalar>) -> meta::MetaType<ApiScalar> {
        let values = BUILDING.with_borrow(Clone::clone);
        registry
            .build_enum_type::<Self>(info, &values)
            .description(DESCRIPTION)
            .into_meta()
    }
}

impl GraphQLValue<ApiScalar> for ResourceEnum {
    type Context = ();
    type TypeInfo = ();

    fn type_name(&self, info: &()) -> Option<arcstr::ArcStr> {
        <Self as GraphQLType<ApiScalar>>::name(info)
    }

    fn resolve(
        &self,
        _: &(),
        _: Option<&[Selection<'_, ApiScalar>]>,
        _: &Executor<'_, '_, (), ApiScalar>,
    ) -> ExecutionResult<ApiScalar> {
        Ok(Value::scalar(self.0.clone()))
    }
}

impl GraphQLValueAsync<ApiScalar> for ResourceEnum {
    fn resolve_async<'a>(
        &'a self,
        info: &'a (),
        selection: Option<&'a [Selection<'_, ApiScalar>]>,
        executor: &'a Executor<'_, '_, (), ApiScalar>,
    ) -> BoxFuture<'a, ExecutionResult<ApiScalar>> {
        let value = self.resolve(info, selection, executor);
        Box::pin(std::future::ready(value))
    }
}

impl FromInputValue<ApiScalar> for ResourceEnum {
    type Error = String;

    fn from_input_value(value: &InputValue<ApiScalar>) -> Result<Self, String> {
        value
            .as_enum_value()
            .or_else(|| value.as_scalar()?.try_as_str())
            .map(|name| Self(name.to_owned()))
            .ok_or_else(|| format!("{value} is no value of {NAME}"))
    }
}

impl ToInputValue<ApiScalar> for ResourceEnum {
    fn to_input_value(&self) -> InputValue<ApiScalar> {
        InputValue::enum_value(&self.0)
    }
}

impl IsInputType<ApiScalar> for ResourceEnum {}
impl IsOutputType<ApiScalar> for ResourceEnum {}

impl reflect::BaseType<ApiScalar> for ResourceEnum {
    const NAME: reflect::Type = NAME;
}

impl reflect::BaseSubTypes<ApiScalar> for ResourceEnum {
    const NAMES: reflect::Types = &[NAME];
}

impl reflect::WrappedType<ApiScalar> for ResourceEnum {
    const VALUE: reflect::WrappedValue = 1;
}
