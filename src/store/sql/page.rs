//! Keyset pages of any list with a numeric id, as `store::page` promises them.
//!
//! The stores hand a filtered query in. The page is found through the values that its place names; what
//! lies around it is asked for after it was read, so that what came in between counts as lying beyond it.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ModelTrait, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select, Value,
};

use super::db::Db;
use crate::store::{
    StoreError,
    page::{Page, PageRequest, Place, SortValue},
};

/// The columns that a list is ordered by.
#[derive(Clone, Copy)]
pub(super) struct Keys<C> {
    /// The id.
    pub id: C,
    /// What comes before the id, if anything does.
    pub by: Option<C>,
}

/// Which way to look from a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Below,
    Above,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Below => Self::Above,
            Self::Above => Self::Below,
        }
    }
}

impl<C: ColumnTrait> Keys<C> {
    /// What lies strictly on one side of a place.
    fn beside(self, place: &Place, side: Side) -> Condition {
        let strictly = |column: C, value: Value| match side {
            Side::Above => column.gt(value),
            Side::Below => column.lt(value),
        };
        let by_id = strictly(self.id, place.id.into());
        let Some((by, value)) = self.by.zip(place.value.as_ref()) else {
            return Condition::all().add(by_id);
        };
        let value = match value {
            SortValue::Text(text) => Value::from(text.clone()),
            SortValue::Moment(moment) => Value::from(*moment),
        };
        let equal = Condition::all().add(by.eq(value.clone())).add(by_id);
        Condition::any().add(strictly(by, value)).add(equal)
    }

    /// The same, and the place itself.
    fn from(self, place: &Place, side: Side) -> Condition {
        Condition::any()
            .add(self.id.eq(place.id))
            .add(self.beside(place, side))
    }
}

/// One page of a list. `list` carries filters and no order; `place` tells where a row stands in it.
pub(super) async fn fetch<E>(
    db: &Db,
    list: Select<E>,
    keys: Keys<E::Column>,
    place: impl Fn(&E::Model) -> Place + Send,
    request: PageRequest,
) -> Result<Page<E::Model>, StoreError>
where
    E: EntityTrait,
    E::Model: ModelTrait + Send + Sync,
{
    // Where what comes later in the list lies.
    let later = if request.descending {
        Side::Below
    } else {
        Side::Above
    };
    let mut query = list.clone();
    if let Some(after) = &request.after {
        query = query.filter(keys.beside(after, later));
    }
    if let Some(before) = &request.before {
        query = query.filter(keys.beside(before, later.other()));
    }
    let order = if request.descending != request.backward {
        Order::Desc
    } else {
        Order::Asc
    };
    if let Some(by) = keys.by {
        query = query.order_by(by, order.clone());
    }
    let mut items = query
        .order_by(keys.id, order)
        .limit(u64::from(request.limit))
        .all(db)
        .await?;
    if request.backward {
        items.reverse();
    }
    let total = list.clone().count(db).await?;
    let any = async |condition: Option<Condition>| match condition {
        None => Ok(total > 0),
        Some(condition) => exists(db, list.clone().filter(condition), keys.id).await,
    };
    let ends = items.first().map(&place).zip(items.last().map(&place));
    let (has_previous, has_next) = match (ends, request.backward) {
        (Some((first, last)), _) => (
            any(Some(keys.beside(&first, later.other()))).await?,
            any(Some(keys.beside(&last, later))).await?,
        ),
        // An empty page stands at the end of the range that it would have started from.
        (None, false) => match &request.after {
            Some(after) => (
                any(Some(keys.from(after, later.other()))).await?,
                any(Some(keys.beside(after, later))).await?,
            ),
            None => (false, any(None).await?),
        },
        (None, true) => match &request.before {
            Some(before) => (
                any(Some(keys.beside(before, later.other()))).await?,
                any(Some(keys.from(before, later))).await?,
            ),
            None => (any(None).await?, false),
        },
    };
    Ok(Page {
        items,
        has_previous,
        has_next,
        total: Some(total),
    })
}

async fn exists<E: EntityTrait>(
    db: &Db,
    list: Select<E>,
    id: E::Column,
) -> Result<bool, StoreError> {
    let found = list.select_only().column_as(id, "id").limit(1);
    Ok(found.into_tuple::<i32>().one(db).await?.is_some())
}
