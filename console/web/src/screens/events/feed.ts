/**
 * The list of events as it is shown, and what came since: pages from the API below, what is told live above. Plain
 * steps from one state to the next; see EventFeed for when each is taken.
 */
import type { EventRow } from './documents';

/** More than these are counted and read again when they are to be shown. */
export const MOST_WAITING = 1_000;

export interface Feed {
  /** Newest first. */
  readonly rows: readonly EventRow[];
  /** Came while somebody reads; newest first, not among `rows`. */
  readonly waiting: readonly EventRow[];
  /** Came too, and were not kept, or may have been missed while the connection was lost. */
  readonly beyond: number;
  readonly endCursor: string | null;
  readonly hasMore: boolean;
  readonly isRead: boolean;
}

export interface Page {
  readonly rows: readonly EventRow[];
  readonly endCursor: string | null;
  readonly hasMore: boolean;
}

export const NOTHING_READ: Feed = {
  rows: [],
  waiting: [],
  beyond: 0,
  endCursor: null,
  hasMore: false,
  isRead: false,
};

/** The newest page takes the place of all that was shown; what has come since stays. */
export function withNewestPage(feed: Feed, page: Page): Feed {
  const newest = page.rows[0];
  const later = feed.waiting.filter((row) => newest === undefined || byNewest(row, newest) < 0);
  return { ...page, rows: merged(later, page.rows), waiting: [], beyond: 0, isRead: true };
}

export function withNextPage(feed: Feed, page: Page): Feed {
  return { ...feed, ...page, rows: merged(feed.rows, page.rows) };
}

/** What was told live: events that are shown change in their place, new ones wait. */
export function withArrived(feed: Feed, events: readonly EventRow[]): Feed {
  const changed = withChanged(feed, events);
  const known = new Set([...changed.rows, ...changed.waiting].map(({ id }) => String(id)));
  const oldest = changed.hasMore ? changed.rows.at(-1) : undefined;
  const fresh = newestOfEach(events).filter(
    (row) => !known.has(String(row.id)) && (oldest === undefined || byNewest(row, oldest) < 0),
  );
  if (fresh.length === 0) return changed;
  const waiting = merged(fresh, changed.waiting);
  return {
    ...changed,
    waiting: waiting.slice(0, MOST_WAITING),
    beyond: changed.beyond + Math.max(0, waiting.length - MOST_WAITING),
  };
}

/** Only events that are there change; nothing comes. */
export function withChanged(feed: Feed, events: readonly EventRow[]): Feed {
  const told = new Map(events.map((row) => [String(row.id), row]));
  const rows = replaced(feed.rows, told);
  const waiting = replaced(feed.waiting, told);
  return rows === feed.rows && waiting === feed.waiting ? feed : { ...feed, rows, waiting };
}

/** What waits is shown. Where `beyond` is not 0 the newest page must be read instead. */
export function withWaitingShown(feed: Feed): Feed {
  if (feed.waiting.length === 0) return feed;
  return { ...feed, rows: merged(feed.waiting, feed.rows), waiting: [] };
}

/** After a break: whether the newest page follows on what is known, or events between them were missed. */
export function hasGap(feed: Feed, page: Page): boolean {
  if (!feed.isRead || !page.hasMore) return false;
  const oldest = page.rows.at(-1);
  const newest = feed.waiting[0] ?? feed.rows[0];
  return oldest !== undefined && (newest === undefined || byNewest(oldest, newest) < 0);
}

function newestOfEach(events: readonly EventRow[]): EventRow[] {
  return [...new Map(events.map((row) => [String(row.id), row])).values()].sort(byNewest);
}

function replaced(rows: readonly EventRow[], told: ReadonlyMap<string, EventRow>): readonly EventRow[] {
  if (!rows.some(({ id }) => told.has(String(id)))) return rows;
  return rows.map((row) => told.get(String(row.id)) ?? row);
}

/** Two lists, each newest first, as one; of an event that is in both the first list has the newer state. */
function merged(first: readonly EventRow[], second: readonly EventRow[]): readonly EventRow[] {
  const all: EventRow[] = [];
  let at = 0;
  for (const row of first) {
    for (let other = second[at]; other !== undefined && byNewest(other, row) <= 0; other = second[++at]) {
      if (byNewest(other, row) < 0) all.push(other);
    }
    all.push(row);
  }
  return [...all, ...second.slice(at)];
}

function byNewest(a: EventRow, b: EventRow): number {
  if (typeof a.id === 'number' && typeof b.id === 'number') return b.id - a.id;
  const difference = BigInt(b.id) - BigInt(a.id);
  return difference < 0n ? -1 : Number(difference > 0n);
}
