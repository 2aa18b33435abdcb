//! Receivers.
//!
//! Read and written by the SQL stores; no behaviour, and never a word of the domain: the stores turn rows
//! into domain types and say which column does not parse.

use sea_orm::entity::prelude::*;

/// One row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(schema_name = "rowhook", table_name = "receivers")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where deliveries go.
    pub webhook_uri: String,
    /// Sealed.
    pub shared_secret: String,
    /// Sealed; signs too until `previous_secret_until`.
    pub previous_secret: Option<String>,
    /// When a rotation's overlap ends.
    pub previous_secret_until: Option<DateTimeUtc>,
    /// `json`, `form` or `cloudevents`.
    pub content_type: String,
    /// The only status that counts as delivered.
    pub expected_response_code: i16,
    /// Whether it gets new events.
    pub active: bool,
    /// Why it does not.
    pub inactive_reason: Option<String>,
    /// The throttle's rate; none: unlimited.
    pub rate_per_second: Option<f64>,
    /// The throttle's burst; set exactly when the rate is.
    pub rate_burst: Option<i32>,
    /// Requests at once; none: the default.
    pub max_in_flight: Option<i32>,
    /// The time for an attempt; none: the default.
    pub timeout_ms: Option<i64>,
    /// Attempts in all; none: the default.
    pub retry_max_attempts: Option<i32>,
    /// The pause after the first attempt; none: the default.
    pub retry_initial_delay_ms: Option<i64>,
    /// How much longer each further pause is; none: the default.
    #[sea_orm(column_type = "Double", nullable)]
    pub retry_multiplier: Option<f64>,
    /// The longest pause; none: the default.
    pub retry_max_delay_ms: Option<i64>,
    /// `PER_ROW` or `NONE`.
    pub ordering: String,
    /// PEM; shown to the receiver where it asks for one.
    pub client_certificate: Option<String>,
    /// Its key, sealed; set exactly when the certificate is.
    pub client_key: Option<String>,
    /// Who made it; none for the configured admin key.
    pub created_by_id: Option<i32>,
    /// The maker's name at that time.
    pub created_by_name: String,
    /// Who changed it last; none for the configured admin key.
    pub updated_by_id: Option<i32>,
    /// The last changer's name at that time.
    pub updated_by_name: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was changed last.
    pub updated_at: DateTimeUtc,
    /// Replaced at each change.
    pub etag: String,
    /// When it was deleted; its events and their log stay.
    pub deleted_at: Option<DateTimeUtc>,
}

/// None: the stores join by id where they must.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
