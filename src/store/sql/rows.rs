//! Between rows and the words of the domain: what several stores read and write the same way.
//!
//! A stored word that does not parse is [`StoreError::Corrupt`] with its table, id and column. What stood
//! there is told only where it can not be a secret.

use std::{fmt::Display, time::Duration};

use crate::{
    domain::{api_key::Author, ids::ApiKeyId},
    store::StoreError,
};

/// The place of a stored value, for errors.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    /// The table.
    pub table: &'static str,
    /// The row.
    pub id: i64,
}

impl Cell {
    /// A row of a table.
    pub(super) fn new(table: &'static str, id: impl Into<i64>) -> Self {
        Self {
            table,
            id: id.into(),
        }
    }

    /// A value in it can not be read.
    pub(super) fn corrupt(self, column: &'static str, why: impl Display) -> StoreError {
        let Self { table, id } = self;
        StoreError::corrupt(format_args!("{table} {id}, column {column}: {why}"))
    }

    /// A number that must fit the domain's type.
    pub(super) fn number<N, M>(self, column: &'static str, stored: M) -> Result<N, StoreError>
    where
        N: TryFrom<M>,
        M: Copy + Display,
    {
        N::try_from(stored)
            .map_err(|_| self.corrupt(column, format_args!("{stored} is out of range")))
    }

    /// A stored number of milliseconds.
    pub(super) fn millis(
        self,
        column: &'static str,
        stored: Option<i64>,
    ) -> Result<Option<Duration>, StoreError> {
        stored
            .map(|millis| self.number(column, millis).map(Duration::from_millis))
            .transpose()
    }
}

/// A number about to be stored; one that the column can not hold is refused by name.
pub(super) fn to_column<N, M>(field: &'static str, value: M) -> Result<N, StoreError>
where
    N: TryFrom<M>,
    M: Copy + Display,
{
    N::try_from(value).map_err(|_| StoreError::Refused(format!("{value} is too large for {field}")))
}

/// A duration about to be stored, in milliseconds.
pub(super) fn to_millis(
    field: &'static str,
    value: Option<Duration>,
) -> Result<Option<i64>, StoreError> {
    value
        .map(|duration| to_column(field, duration.as_millis()))
        .transpose()
}

/// A person or program as two columns hold it.
pub(super) fn author(id: Option<i32>, name: String) -> Author {
    Author {
        id: id.map(ApiKeyId),
        name,
    }
}
