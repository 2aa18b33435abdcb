//! One watched table: what a look finds, what is done about it, and the words for both.

use crate::{
    domain::{
        ids::ResourceId,
        resource::{Column, Resource, ResourceDefinition, ResourceName},
    },
    store::{
        StoreError,
        catalogue::{
            InstallError, Installed, ResourceInstaller, TableLook, TriggerState, WantedResource,
        },
    },
    telemetry::Outage,
};

use super::OwnVersions;

/// Looks between two tries of what a right was lacking for: somebody may have granted it meanwhile.
const LOOKS_BETWEEN_TRIES: u32 = 10;

/// What keeps a table from being captured as configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// There is no such table.
    Gone,
    /// The table and its `[[resources]]` entry do not fit each other.
    Unfit,
    /// This role may not mend it.
    NoRight,
    /// It was in use at each try.
    InUse,
    /// `rowhook resources uninstall` took the triggers off.
    TakenOff,
    /// Another instance has put them on with other settings.
    OtherSettings,
}

struct Trouble {
    kind: Kind,
    outage: Outage,
    text: String,
}

/// What a look comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Well,
    Mend,
    /// Changes go by unlogged, and another instance has other settings: by those.
    MendAs(Box<WantedResource>),
    Leave(Kind),
}

const OTHER_SETTINGS: &str = "another instance has put its triggers on with other settings (`table`, `key`, `etag`, \
    `exclude` or `on_truncate` of its [[resources]] entry), and they stay as they are; give every instance the same \
    configuration and restart those with the former one";

/// A watched table between two looks.
pub(super) struct Table {
    wanted: WantedResource,
    trouble: Option<Trouble>,
    /// The last look could not install because the table was in use: no fault yet.
    missed: bool,
    looks_until_try: u32,
}

impl Table {
    pub fn new(wanted: &WantedResource) -> Self {
        Self {
            wanted: wanted.clone(),
            trouble: None,
            missed: false,
            looks_until_try: 0,
        }
    }

    pub fn name(&self) -> &ResourceName {
        &self.wanted.name
    }

    /// Looks, and mends what it can; what there is to note, if that is news. An error is the database's and no table's.
    pub async fn look(
        &mut self,
        installer: &dyn ResourceInstaller,
        own: &OwnVersions,
    ) -> Result<Option<String>, StoreError> {
        let found = match installer.look(&self.wanted).await {
            Ok(found) => found,
            Err(error) => return self.can_not(error, ""),
        };
        match verdict(own.get(self.name()), &found) {
            Verdict::Well => {
                if let Some(version) = &found.version {
                    own.set(self.name(), version.id);
                }
                self.missed = false;
                let note = self
                    .trouble
                    .is_some()
                    .then(|| "it is as it should be again".to_owned());
                self.is_over();
                Ok(note)
            }
            Verdict::Leave(kind) => {
                let text = match kind {
                    Kind::TakenOff => {
                        "its triggers were taken off by `rowhook resources uninstall` while this instance \
                        serves, so its changes are not logged; they stay off until `rowhook resources install` or the \
                        next start"
                    }
                    _ => OTHER_SETTINGS,
                };
                Ok(self.goes_on(kind, text.to_owned()))
            }
            Verdict::Mend => self.mend(installer, own, &found).await,
            Verdict::MendAs(theirs) => self.mend_as(&theirs, installer, &found).await,
        }
    }

    async fn mend(
        &mut self,
        installer: &dyn ResourceInstaller,
        own: &OwnVersions,
        found: &TableLook,
    ) -> Result<Option<String>, StoreError> {
        if self.looks_until_try > 0 {
            self.looks_until_try -= 1;
            if let Some(trouble) = &mut self.trouble {
                trouble.outage.goes_on(&trouble.text);
            }
            return Ok(None);
        }
        let what = what(found);
        let (resource, done) = match installer.install(&self.wanted).await {
            Ok(installed) => installed,
            Err(InstallError::Locked { .. }) if !self.missed && self.trouble.is_none() => {
                self.missed = true;
                let table = &found.found.table;
                tracing::info!(resource = %self.name(), table, found = what,
                    "a watched table is in use; its triggers are put on anew at the next look");
                return Ok(None);
            }
            Err(error) => return self.can_not(error, &what),
        };
        own.set(self.name(), resource.id);
        self.missed = false;
        self.is_over();
        if done == Installed::Unchanged {
            // Another instance, or somebody by hand, was faster.
            return Ok(Some(what));
        }
        self.tell(found, &what, &resource.definition);
        Ok(Some(format!("{what}; the triggers were put on anew")))
    }

    /// Puts the triggers of another instance's settings on again, which were lost: to log nothing would be worse,
    /// and to log by this instance's settings could log what those exclude.
    async fn mend_as(
        &mut self,
        theirs: &WantedResource,
        installer: &dyn ResourceInstaller,
        found: &TableLook,
    ) -> Result<Option<String>, StoreError> {
        let what = what(found);
        match installer.install(theirs).await {
            Ok((resource, Installed::Changed)) => {
                self.tell(found, &what, &resource.definition);
                Ok(Some(format!("{what}; the triggers were put on anew")))
            }
            // They are on another table.
            Ok((_, Installed::Unchanged)) => {
                Ok(self.goes_on(Kind::OtherSettings, OTHER_SETTINGS.to_owned()))
            }
            Err(error) => self.can_not(error, &what),
        }
    }

    fn tell(&self, found: &TableLook, what: &str, now: &ResourceDefinition) {
        let (resource, table) = (self.name(), &now.table);
        let columns = Columns::between(found.version.as_ref().map(|one| &one.definition), now);
        let (came, went) = (columns.came.join(", "), columns.went.join(", "));
        let message = "a watched table was not as it should be; its triggers were put on anew";
        if is_loss(found) {
            tracing::warn!(%resource, table, found = what, came, went, "{message}");
        } else {
            tracing::info!(%resource, table, found = what, came, went, "{message}");
        }
    }

    /// It can not be looked at, or not be mended; `what` was found.
    fn can_not(&mut self, error: InstallError, what: &str) -> Result<Option<String>, StoreError> {
        let kind = match error {
            InstallError::Store(error) => return Err(error),
            InstallError::NoTable { .. } => Kind::Gone,
            InstallError::NoRight { .. } => {
                self.looks_until_try = LOOKS_BETWEEN_TRIES;
                Kind::NoRight
            }
            InstallError::Locked { .. } => Kind::InUse,
            InstallError::NoColumn { .. }
            | InstallError::NoKey { .. }
            | InstallError::KeyExcluded { .. }
            | InstallError::EtagExcluded { .. }
            | InstallError::RenamedExcluded { .. }
            | InstallError::Unwatchable { .. } => Kind::Unfit,
        };
        let mut text = if what.is_empty() {
            error.to_string()
        } else {
            format!("{what}; {error}")
        };
        if kind == Kind::Gone {
            text.push_str(
                ". One that comes under this name gets its triggers at the next look; what is changed in it before that \
                 is not seen",
            );
        }
        if kind == Kind::Unfit {
            text.push_str(
                ". Until the table is mended, or the entry and rowhook restarted, changes are logged as far as the triggers \
                 of before can: under the names that they know, whichever columns have these names now",
            );
        }
        Ok(self.goes_on(kind, text))
    }

    /// The trouble lasts; what there is to note, if that is news.
    fn goes_on(&mut self, kind: Kind, text: String) -> Option<String> {
        if let Some(trouble) = self.trouble.as_mut().filter(|one| one.kind == kind) {
            // What somebody did on purpose is told once.
            if !matches!(kind, Kind::TakenOff | Kind::OtherSettings) {
                trouble.outage.goes_on(&text);
            }
            let is_news = trouble.text != text;
            trouble.text.clone_from(&text);
            return is_news.then_some(text);
        }
        let mut outage = outage(self.name(), kind);
        outage.goes_on(&text);
        self.trouble = Some(Trouble {
            kind,
            outage,
            text: text.clone(),
        });
        Some(text)
    }

    fn is_over(&mut self) {
        self.looks_until_try = 0;
        if let Some(mut trouble) = self.trouble.take() {
            trouble.outage.is_over();
        }
    }
}

fn outage(name: &ResourceName, kind: Kind) -> Outage {
    match kind {
        Kind::Gone => Outage::grave(format!(
            "resource {name} is not captured: its table is gone, or has another name"
        )),
        Kind::Unfit => Outage::grave(format!(
            "resource {name} is not captured as configured: its table does not fit its [[resources]] entry"
        )),
        Kind::NoRight => Outage::new(format!(
            "resource {name} may not be captured: its triggers have to be put on anew, and this role may not"
        )),
        Kind::InUse => Outage::new(format!(
            "resource {name} may not be captured: its triggers have to be put on anew, and the table is in use"
        )),
        Kind::TakenOff => Outage::new(format!("resource {name} is not captured")),
        Kind::OtherSettings => Outage::new(format!("resource {name} is left alone")),
    }
}

/// What is to be done about what was found. `own`: the version that this process knows as its own.
fn verdict(own: Option<ResourceId>, found: &TableLook) -> Verdict {
    match (&found.version, own) {
        (None, Some(_)) => Verdict::Leave(Kind::TakenOff),
        _ if found.state == TriggerState::InForce => Verdict::Well,
        (Some(version), own)
            if own != Some(version.id) && !is_alike(&version.definition, &found.found) =>
        {
            match found.state {
                TriggerState::InForce | TriggerState::Altered => {
                    Verdict::Leave(Kind::OtherSettings)
                }
                TriggerState::Missing | TriggerState::Disabled => {
                    Verdict::MendAs(Box::new(settings_of(version)))
                }
            }
        }
        _ => Verdict::Mend,
    }
}

/// The settings that a version was made of.
fn settings_of(version: &Resource) -> WantedResource {
    let of = version.definition.clone();
    WantedResource {
        name: version.name.clone(),
        aliases: version.aliases.clone(),
        table: of.table,
        key: of.key,
        etag: of.etag,
        exclude: of.exclude,
        on_truncate: of.on_truncate,
    }
}

/// Whether two descriptions come of the same settings, as far as can be told.
fn is_alike(one: &ResourceDefinition, other: &ResourceDefinition) -> bool {
    let settings = |of: &ResourceDefinition| {
        let names = |list: &[String]| {
            let mut names = list.to_vec();
            names.sort_unstable();
            names
        };
        let (key, exclude) = (names(&of.key), names(&of.exclude));
        (
            of.table.clone(),
            key,
            of.etag.clone(),
            exclude,
            of.on_truncate,
        )
    };
    settings(one) == settings(other)
}

/// Whether changes may have gone by unlogged.
fn is_loss(found: &TableLook) -> bool {
    match found.state {
        TriggerState::Missing => !found.logs_rows,
        TriggerState::Disabled => true,
        TriggerState::InForce | TriggerState::Altered => false,
    }
}

/// What was found, in words.
fn what(found: &TableLook) -> String {
    let mut parts = Vec::new();
    match found.state {
        TriggerState::Missing if found.logs_rows => parts.push(
            "not every partition had its trigger on TRUNCATE (one was added?), so a TRUNCATE of such a partition by \
             itself was not seen"
                .to_owned(),
        ),
        TriggerState::Missing => parts.push(
            "not all of its triggers were on it (the table was made anew, a table began to inherit from it, or they \
             were dropped), so changes made meanwhile were not seen"
                .to_owned(),
        ),
        TriggerState::Disabled => parts.push(
            "its triggers were disabled or not enabled ALWAYS, so changes made meanwhile may not have been seen"
                .to_owned(),
        ),
        TriggerState::InForce | TriggerState::Altered => {}
    }
    if let Some(version) = &found.version {
        let (before, now) = (&version.definition, &found.found);
        parts.append(&mut Columns::between(Some(before), now).words());
        for (is_other, word) in [
            (before.key != now.key, "its key is another one"),
            (before.table != now.table, "it has another name"),
            (
                before.etag != now.etag || before.on_truncate != now.on_truncate,
                "its settings are others",
            ),
        ] {
            if is_other {
                parts.push(word.to_owned());
            }
        }
    }
    if parts.is_empty() {
        parts.push("its triggers, or what they were made for, had been altered".to_owned());
    }
    parts.join("; ")
}

/// How the columns of two descriptions differ.
#[derive(Debug, Default)]
struct Columns {
    came: Vec<String>,
    went: Vec<String>,
    retyped: Vec<String>,
}

impl Columns {
    fn between(before: Option<&ResourceDefinition>, now: &ResourceDefinition) -> Self {
        let Some(before) = before else {
            return Self::default();
        };
        let of = |list: &[Column], name: &str| {
            list.iter()
                .find(|column| column.name == name)
                .map(|column| column.data_type.clone())
        };
        let mut columns = Self::default();
        for column in &now.columns {
            match of(&before.columns, &column.name) {
                None => columns.came.push(column.name.clone()),
                Some(was) if was != column.data_type => columns
                    .retyped
                    .push(format!("{} ({was}, now {})", column.name, column.data_type)),
                Some(_) => {}
            }
        }
        let gone = before
            .columns
            .iter()
            .filter(|column| of(&now.columns, &column.name).is_none());
        columns.went = gone.map(|column| column.name.clone()).collect();
        columns
    }

    fn words(&self) -> Vec<String> {
        let lists = [
            (&self.came, "columns came: "),
            (&self.went, "columns went: "),
            (&self.retyped, "columns have another type: "),
        ];
        let some = lists.iter().filter(|(list, _)| !list.is_empty());
        some.map(|(list, word)| format!("{word}{}", list.join(", ")))
            .collect()
    }
}

#[cfg(test)]
#[path = "table_test.rs"]
mod tests;
