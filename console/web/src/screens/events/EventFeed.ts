/**
 * The events of one view, kept while the console is open: who comes back from an event finds the list as it was
 * left. Reads pages, takes what is told live, and shows it at once or when the reader is ready.
 */
import { ask, asApiError, type ApiError } from '@/api';
import type { WebhookEventFilters } from '@/api/generated/graphql';
import { onKeyChange } from '@/api/key';
import { EventsPageDocument, type EventRow } from './documents';
import {
  hasGap,
  NOTHING_READ,
  withArrived,
  withChanged,
  withNewestPage,
  withNextPage,
  withWaitingShown,
  type Feed,
  type Page,
} from './feed';

const PAGE = 200;
const GATHERED_MS = 100;
/** A list that grew longer than this by itself begins anew. */
const MOST_FOLLOWED = 20_000;
const KEPT_VIEWS = 5;

export interface Shown extends Feed {
  readonly reading: 'newest' | 'next' | null;
  readonly error: ApiError | null;
}

export class EventFeed {
  /** How far the list was scrolled. */
  #top = 0;
  #shown: Shown = { ...NOTHING_READ, reading: null, error: null };
  #holding = false;
  #arrived: EventRow[] = [];
  #changed: EventRow[] = [];
  #gathering = false;
  readonly #listeners = new Set<() => void>();

  constructor(readonly filters: WebhookEventFilters) {}

  get top(): number {
    return this.#top;
  }

  readonly keepTop = (top: number): void => {
    this.#top = top;
  };

  readonly shown = (): Shown => this.#shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Whether new events wait until they are wanted. */
  hold(holding: boolean): void {
    this.#holding = holding;
    if (!holding) this.show();
  }

  readonly readNewest = async (): Promise<void> => {
    if (this.#shown.reading === 'newest') return;
    this.#become({ reading: 'newest', error: null });
    try {
      const page = await this.#page(null);
      this.#become({ ...withNewestPage(this.#shown, page), reading: null });
    } catch (thrown) {
      this.#become({ reading: null, error: asApiError(thrown) });
    }
  };

  readonly readNext = async (): Promise<void> => {
    const { hasMore, endCursor, reading } = this.#shown;
    if (!hasMore || reading !== null) return;
    this.#become({ reading: 'next', error: null });
    try {
      const page = await this.#page(endCursor);
      // The list may have begun anew meanwhile.
      if (this.#shown.endCursor === endCursor) this.#become(withNextPage(this.#shown, page));
      this.#become({ reading: null });
    } catch (thrown) {
      this.#become({ reading: null, error: asApiError(thrown) });
    }
  };

  /** Reads what was made while nothing was told live. */
  readonly catchUp = async (): Promise<void> => {
    if (!this.#shown.isRead) return this.readNewest();
    try {
      const page = await this.#page(null);
      const gap = hasGap(this.#shown, page) ? 1 : 0;
      const now = withArrived(this.#shown, page.rows);
      this.#become({ ...now, beyond: now.beyond + gap });
      if (!this.#holding) this.show();
    } catch {
      // The next connection tries again; what is shown stays true.
    }
  };

  /** Told live. */
  readonly arrive = (event: EventRow): void => {
    this.#arrived.push(event);
    this.#gather();
  };

  /** Told live of events that may match no longer. */
  readonly change = (event: EventRow): void => {
    this.#changed.push(event);
    this.#gather();
  };

  /** Shows what waits. */
  readonly show = (): void => {
    const { beyond, waiting, rows } = this.#shown;
    if (beyond > 0 || (waiting.length > 0 && rows.length + waiting.length > MOST_FOLLOWED)) {
      void this.readNewest();
    } else if (waiting.length > 0) {
      this.#become(withWaitingShown(this.#shown));
    }
  };

  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    setTimeout(() => {
      this.#gathering = false;
      const now = withChanged(withArrived(this.#shown, this.#arrived), this.#changed);
      this.#arrived = [];
      this.#changed = [];
      this.#become(now);
      if (!this.#holding && now.isRead) this.show();
    }, GATHERED_MS);
  }

  async #page(after: string | null): Promise<Page> {
    const { webhookEventConnection: list } = await ask(EventsPageDocument, {
      first: PAGE,
      after,
      filters: this.filters,
    });
    const { hasNextPage, endCursor } = list.pageInfo;
    return { rows: list.edges.map(({ node }) => node), endCursor, hasMore: hasNextPage };
  }

  #become(change: Partial<Shown>): void {
    this.#shown = { ...this.#shown, ...change };
    for (const listener of this.#listeners) listener();
  }
}

const feeds = new Map<string, EventFeed>();

// What one key read is not for the next.
onKeyChange(() => {
  feeds.clear();
  lastSearch = null;
});

export function feedOf(filters: WebhookEventFilters): EventFeed {
  const key = JSON.stringify(filters);
  const feed = feeds.get(key) ?? new EventFeed(filters);
  feeds.delete(key);
  feeds.set(key, feed);
  for (const old of [...feeds.keys()].slice(0, -KEPT_VIEWS)) feeds.delete(old);
  return feed;
}

let lastSearch: string | null = null;
let lastFeed: EventFeed | null = null;

/** The view that was looked at last: an event leads back to it, and on to its neighbours there. */
export function rememberView(search: string, feed: EventFeed): void {
  lastSearch = search;
  lastFeed = feed;
}

export interface Neighbours {
  readonly search: string;
  readonly newer: EventRow['id'] | undefined;
  readonly older: EventRow['id'] | undefined;
}

/** What stands above and below an event in the view that was looked at last. */
export function neighboursOf(id: string): Neighbours {
  const rows = lastSearch === null ? [] : (lastFeed?.shown().rows ?? []);
  const at = rows.findIndex((row) => String(row.id) === id);
  return {
    search: lastSearch ?? '',
    newer: at > 0 ? rows[at - 1]?.id : undefined,
    older: at >= 0 ? rows[at + 1]?.id : undefined,
  };
}
