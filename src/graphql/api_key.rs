//! API keys: who may call, made and revoked by admins. A key itself is shown once, when it is made.

use juniper::{GraphQLInputObject, GraphQLObject, graphql_object};

use crate::{
    domain::{api_key, ids::ApiKeyId},
    store::api_keys::{self, LastAdminKey},
};

use super::{
    context::Context,
    current_user::Role,
    error::{ApiError, InputPath},
    scalar::ApiScalar,
    scalars::DateTime,
    validate::text,
};

const NAME_CHARACTERS: usize = 255;

/// An API key's record as the API shows it.
#[derive(Clone, Debug)]
pub struct ApiKey(api_keys::ApiKey);

/// The record of an API key; the key itself is kept nowhere.
#[graphql_object]
#[graphql(name = "ApiKey", context = Context, scalar = ApiScalar)]
impl ApiKey {
    /// The id of the key's record.
    fn id(&self) -> i32 {
        self.0.id.0
    }

    /// What the key is called; the records that it makes carry this as createdBy and updatedBy.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// What the key may do.
    fn role(&self) -> Role {
        self.0.role.into()
    }

    /// The first 12 letters of the key, to recognise it by.
    fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// When it was made.
    fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it was used last, to the minute; null when it never was.
    fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
    }

    /// When it was revoked; null while it is good.
    fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(DateTime)
    }
}

/// A new API key.
#[derive(Clone, Debug, GraphQLInputObject)]
#[graphql(name = "CreateApiKeyInput", scalar = ApiScalar)]
pub struct CreateApiKeyInput {
    /// What it is called, 1 to 255 characters; several keys may have one name.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// What createApiKey returns.
#[derive(GraphQLObject)]
#[graphql(name = "CreateApiKeyPayload", context = Context, scalar = ApiScalar)]
pub struct CreateApiKeyPayload {
    /// The record of the new key.
    pub api_key: ApiKey,
    /// The key itself, for `Authorization: Bearer KEY`. It is shown here and never again.
    pub key: String,
}

/// What revokeApiKey returns.
#[derive(GraphQLObject)]
#[graphql(name = "ApiKeyPayload", context = Context, scalar = ApiScalar)]
pub struct ApiKeyPayload {
    /// The record of the key as it is now.
    pub api_key: ApiKey,
}

/// `apiKeys`.
pub async fn all(context: &Context) -> Result<Vec<ApiKey>, ApiError> {
    context.require(api_key::Role::Admin, "apiKeys")?;
    let keys = context.services.keys.keys().await?;
    Ok(keys.into_iter().map(ApiKey).collect())
}

/// `createApiKey`.
pub async fn create(
    context: &Context,
    input: CreateApiKeyInput,
) -> Result<CreateApiKeyPayload, ApiError> {
    context.require(api_key::Role::Admin, "createApiKey")?;
    let at = InputPath::argument("input");
    let name = text(&input.name, NAME_CHARACTERS, &at.field("name"))?;
    let keys = &context.services.keys;
    let (record, key) = keys.create_key(&name, input.role.into()).await?;
    Ok(CreateApiKeyPayload {
        api_key: ApiKey(record),
        key,
    })
}

/// `revokeApiKey`.
pub async fn revoke(context: &Context, id: i32) -> Result<ApiKeyPayload, ApiError> {
    context.require(api_key::Role::Admin, "revokeApiKey")?;
    let last = if context.services.has_configured_admin {
        LastAdminKey::MayGo
    } else {
        LastAdminKey::Stays
    };
    let keys = &context.services.keys;
    let record = keys.revoke_key(ApiKeyId(id), last).await?;
    Ok(ApiKeyPayload {
        api_key: ApiKey(record),
    })
}
