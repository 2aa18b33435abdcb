/** The events of a view, live while they are looked at. */
import { useEffect, useSyncExternalStore } from 'react';
import { useLive, type Live } from '@/api';
import { EventRowChangedDocument } from './documents';
import type { EventFeed, Shown } from './EventFeed';

/** A subscription takes its first look within a second; what was made before that is read after it. */
const FIRST_LOOK_MS = 1_500;

export interface FeedInUse {
  readonly shown: Shown;
  readonly live: Live;
}

export function useEventFeed(feed: EventFeed, holding: boolean): FeedInUse {
  const shown = useSyncExternalStore(feed.subscribe, feed.shown);
  const { filters } = feed;
  const { status, ...others } = filters;

  const live = useLive(
    EventRowChangedDocument,
    { filters },
    { on: ({ webhookEventChanged }) => feed.arrive(webhookEventChanged) },
  );
  // With a status an event is told when it comes to it, and not when it leaves it.
  useLive(
    EventRowChangedDocument,
    { filters: others },
    {
      on: ({ webhookEventChanged }) => feed.change(webhookEventChanged),
      paused: status === undefined || status === null,
    },
  );

  useEffect(() => {
    if (!feed.shown().isRead) void feed.readNewest();
  }, [feed]);

  useEffect(() => {
    feed.hold(holding);
  }, [feed, holding]);

  useEffect(() => {
    if (live.connection !== 'live') return;
    const timer = setTimeout(() => void feed.catchUp(), FIRST_LOOK_MS);
    return () => clearTimeout(timer);
  }, [feed, live.connection]);

  return { shown, live };
}
