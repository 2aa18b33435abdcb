//! Keyset pages of any list with a numeric id, as `store::page` promises them.
//!
//! The stores hand a filtered query in. The page is found through the id alone, and what lies around it
//! is told by the list's lowest and highest id, which come with the total.

use sea_orm::{
    ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::ExprTrait,
};

use super::db::Db;
use crate::store::{
    StoreError,
    page::{Page, PageRequest},
};

/// The ids around a page, in ascending order of id whatever the list's order.
#[derive(Clone, Copy)]
struct Range {
    /// Only ids above this.
    above: Option<i64>,
    /// Only ids below this.
    below: Option<i64>,
    /// Whether the page is taken from the high end.
    from_high: bool,
}

impl Range {
    fn of(request: PageRequest) -> Self {
        let (above, below) = if request.newest_first {
            (request.before, request.after)
        } else {
            (request.after, request.before)
        };
        Self {
            above,
            below,
            from_high: request.newest_first != request.backward,
        }
    }
}

/// How many records the whole list has, its lowest id and its highest.
type Extent = (i64, Option<i64>, Option<i64>);

/// One page of a list. `list` carries filters and no order.
pub(super) async fn fetch<E>(
    db: &Db,
    list: Select<E>,
    id: E::Column,
    id_of: impl Fn(&E::Model) -> i64 + Send,
    request: PageRequest,
) -> Result<Page<E::Model>, StoreError>
where
    E: EntityTrait,
{
    let range = Range::of(request);
    let mut query = list.clone();
    if let Some(above) = range.above {
        query = query.filter(id.gt(above));
    }
    if let Some(below) = range.below {
        query = query.filter(id.lt(below));
    }
    let order = if range.from_high {
        Order::Desc
    } else {
        Order::Asc
    };
    let mut items = query
        .order_by(id, order)
        .limit(u64::from(request.limit))
        .all(db)
        .await?;
    if request.backward {
        items.reverse();
    }
    let extent = extent(db, list, id).await?;
    let ends = items.first().map(&id_of).zip(items.last().map(&id_of));
    let (lower, higher) = around(range, ends, extent);
    let (has_previous, has_next) = if request.newest_first {
        (higher, lower)
    } else {
        (lower, higher)
    };
    Ok(Page {
        items,
        has_previous,
        has_next,
        total: Some(u64::try_from(extent.0).unwrap_or_default()),
    })
}

/// Asks after the page was read, so that what came in between counts as lying beyond it.
async fn extent<E: EntityTrait>(
    db: &Db,
    list: Select<E>,
    id: E::Column,
) -> Result<Extent, StoreError> {
    // Ids are 32 bits wide in some tables: PostgreSQL's minimum has the column's type.
    let wide = |expression: sea_orm::sea_query::Expr| expression.cast_as("bigint");
    Ok(list
        .select_only()
        .expr_as(ColumnTrait::count(&id), "total")
        .expr_as(wide(ColumnTrait::min(&id)), "lowest")
        .expr_as(wide(ColumnTrait::max(&id)), "highest")
        .into_tuple::<Extent>()
        .one(db)
        .await?
        .unwrap_or_default())
}

/// Whether the list has lower and higher ids than the page.
///
/// An empty page stands at the end of the range that it would have started from.
fn around(
    range: Range,
    ends: Option<(i64, i64)>,
    (total, lowest, highest): Extent,
) -> (bool, bool) {
    let any = total > 0;
    match ends {
        Some((first, last)) => {
            let (low, high) = if first < last {
                (first, last)
            } else {
                (last, first)
            };
            (
                lowest.is_some_and(|lowest| lowest < low),
                highest.is_some_and(|highest| highest > high),
            )
        }
        None if range.from_high => (
            match range.below {
                Some(below) => lowest.is_some_and(|lowest| lowest < below),
                None => any,
            },
            range
                .below
                .zip(highest)
                .is_some_and(|(below, highest)| highest >= below),
        ),
        None => (
            range
                .above
                .zip(lowest)
                .is_some_and(|(above, lowest)| lowest <= above),
            match range.above {
                Some(above) => highest.is_some_and(|highest| highest > above),
                None => any,
            },
        ),
    }
}
