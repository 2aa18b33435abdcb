//! A watched table under its public name, and the catalogue of all of them.

use std::{
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::{Arc, PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};

use super::ids::ResourceId;

/// A resource's public name: an upper-case GraphQL enum value such as `RUN_STEP`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ResourceName(Arc<str>);

impl ResourceName {
    /// The name in the API.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in a delivery's body: `run_step`.
    pub fn in_body(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that GraphQL can not carry as an enum value.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} can not name a resource: use upper-case letters, digits and underscores, a letter first \
     (for example RUN_STEP)"
)]
pub struct InvalidResourceName(pub String);

impl FromStr for ResourceName {
    type Err = InvalidResourceName;

    fn from_str(text: &str) -> Result<Self, InvalidResourceName> {
        let letters = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        if text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.chars().all(letters)
            && text.len() <= 63
        {
            Ok(Self(text.into()))
        } else {
            Err(InvalidResourceName(text.to_owned()))
        }
    }
}

impl<'de> Deserialize<'de> for ResourceName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// What TRUNCATE of a watched table does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnTruncate {
    /// It is a DELETE of each row.
    #[default]
    Rows,
    /// The statement fails.
    Refuse,
    /// Nothing is logged but one warning.
    Ignore,
}

/// One column of a watched table, in the table's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The column's name, unquoted.
    pub name: String,
    /// Its type as the database prints it (`format_type` on PostgreSQL, the declared type on SQLite).
    pub data_type: String,
}

/// One version of a watched table's description: what the trigger's log rows mean.
///
/// A version never changes. When the configuration or the table does, the installer makes a new one,
/// and changes already logged keep the version they were logged under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDefinition {
    /// The table as SQL names it, quoted where needed: `public."Purchase Orders"`.
    pub table: String,
    /// The columns that are logged, in the table's order; excluded ones are not among them.
    pub columns: Vec<Column>,
    /// The columns of the key, in key order.
    pub key: Vec<String>,
    /// The column whose value is `data.etag`; a hash of the row where there is none.
    pub etag: Option<String>,
    /// Columns that never leave the database.
    pub exclude: Vec<String>,
    /// What TRUNCATE does.
    pub on_truncate: OnTruncate,
}

/// A watched table in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The version's id, which the triggers write into each log row.
    pub id: ResourceId,
    /// The public name.
    pub name: ResourceName,
    /// Other names that the API accepts, shown as deprecated.
    pub aliases: Vec<ResourceName>,
    /// What its log rows mean.
    pub definition: ResourceDefinition,
}

/// The resources of a running deployment, by their names and aliases.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    resources: Vec<Arc<Resource>>,
    by_name: HashMap<ResourceName, usize>,
}

impl Catalogue {
    /// A catalogue of these resources. The configuration has already refused names used twice.
    pub fn new(resources: Vec<Resource>) -> Self {
        let mut by_name = HashMap::new();
        for (index, resource) in resources.iter().enumerate() {
            by_name.insert(resource.name.clone(), index);
            for alias in &resource.aliases {
                by_name.entry(alias.clone()).or_insert(index);
            }
        }
        Self {
            resources: resources.into_iter().map(Arc::new).collect(),
            by_name,
        }
    }

    /// Every resource, in the order of the configuration.
    pub fn resources(&self) -> &[Arc<Resource>] {
        &self.resources
    }

    /// The resource of a name or alias.
    pub fn find(&self, name: &str) -> Option<&Arc<Resource>> {
        let name: ResourceName = name.parse().ok()?;
        self.by_name.get(&name).map(|index| &self.resources[*index])
    }
}

/// The catalogue of a running deployment, which gets new descriptions when tables change. The names are the same for as
/// long as the process runs.
#[derive(Clone, Debug, Default)]
pub struct LiveCatalogue(Arc<RwLock<Arc<Catalogue>>>);

impl LiveCatalogue {
    /// As it is at the start.
    pub fn new(catalogue: Catalogue) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(catalogue))))
    }

    /// The descriptions in force; whoever holds on to them does not see later ones.
    pub fn now(&self) -> Arc<Catalogue> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Puts these descriptions in the place of those of the same names; whether any was another one.
    pub fn describe(&self, versions: &[Resource]) -> bool {
        let before = self.now();
        let mut changed = false;
        let after = before.resources().iter().map(|known| {
            let found = versions.iter().find(|one| one.name == known.name);
            match found.filter(|one| one.id != known.id) {
                None => Resource::clone(known),
                Some(found) => {
                    changed = true;
                    Resource {
                        aliases: known.aliases.clone(),
                        ..found.clone()
                    }
                }
            }
        });
        let after = Catalogue::new(after.collect());
        if changed {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(after);
        }
        changed
    }
}
