/** The events of a view as a list that follows what happens, unless somebody reads in it or has paused it. */
import { useCallback, useEffect, useState, type ReactNode } from 'react';
import { Button } from '@/design/Button';
import { EmptyState } from '@/design/EmptyState';
import { ErrorNote } from '@/design/ErrorNote';
import { ErrorState } from '@/design/ErrorState';
import { Icon } from '@/design/Icon';
import { LiveNote } from '@/design/LiveNote';
import { Skeleton } from '@/design/Skeleton';
import { VirtualTable } from '@/design/VirtualTable';
import type { EventRow } from './documents';
import { COLUMNS, CompactEvent } from './eventColumns';
import { rememberView, type EventFeed } from './EventFeed';
import { useEventFeed } from './useEventFeed';
import styles from './EventList.module.css';

export interface EventListProps {
  readonly feed: EventFeed;
  /** The view in the address. */
  readonly search: string;
  readonly onClear: () => void;
}

const rowKey = (row: EventRow): string => String(row.id);
const href = (row: EventRow): string => `/events/${row.id}`;

export function EventList({ feed, search, onClear }: EventListProps): ReactNode {
  const [paused, setPaused] = useState(false);
  const [isRead, setRead] = useState(feed.top > 0);
  const [toTop, setToTop] = useState(0);
  const { shown, live } = useEventFeed(feed, paused || isRead);
  const { rows, waiting, beyond, hasMore, reading, error } = shown;

  useEffect(() => rememberView(search, feed), [search, feed]);

  const onNearEnd = useCallback(() => {
    // What failed is tried again by hand.
    if (feed.shown().error === null) void feed.readNext();
  }, [feed]);

  const showWaiting = (): void => {
    setPaused(false);
    setToTop(toTop + 1);
    feed.show();
  };

  if (!shown.isRead) {
    return error === null ? (
      <Skeleton lines={8} />
    ) : (
      <ErrorState error={error} onRetry={() => void feed.readNewest()} />
    );
  }

  const came = `${(waiting.length + beyond).toLocaleString('en')}${beyond > 0 ? '+' : ''}`;
  const anyWaits = waiting.length + beyond > 0;
  return (
    <>
      <LiveNote live={live} />
      <div className={styles['bar']}>
        <Button
          size="s"
          onPress={() => {
            if (paused) showWaiting();
            else setPaused(true);
          }}
        >
          <Icon name={paused ? 'play' : 'pause'} size={14} />
          {paused ? 'Resume' : 'Pause'}
        </Button>
        {paused ? (
          <span className={styles['said']}>Paused. {came} came meanwhile.</span>
        ) : (
          anyWaits && (
            <Button size="s" kind="primary" onPress={showWaiting}>
              Show {came} new
            </Button>
          )
        )}
        <span className={styles['amount']}>
          {rows.length.toLocaleString('en')} loaded{hasMore ? ' so far' : ''}
        </span>
      </div>
      {rows.length === 0 ? (
        <NoEvents filtered={search !== ''} onClear={onClear} />
      ) : (
        <VirtualTable
          label="Events"
          columns={COLUMNS}
          rows={rows}
          rowKey={rowKey}
          href={href}
          compact={CompactEvent}
          height="max(24rem, calc(100vh - 22.5rem))"
          onNearEnd={onNearEnd}
          onReading={setRead}
          initialTop={feed.top}
          onScrollTo={feed.keepTop}
          toTop={toTop}
        />
      )}
      <div className={styles['foot']} role="status">
        {reading === 'next' && 'Loading older events'}
      </div>
      {error !== null && (
        <>
          <ErrorNote error={error} />
          <Button size="s" onPress={() => void (hasMore ? feed.readNext() : feed.readNewest())}>
            Try again
          </Button>
        </>
      )}
    </>
  );
}

function NoEvents({
  filtered,
  onClear,
}: {
  readonly filtered: boolean;
  readonly onClear: () => void;
}): ReactNode {
  return filtered ? (
    <EmptyState
      title="No event matches these filters"
      action={<Button onPress={onClear}>Clear the filters</Button>}
    >
      Events that come to match appear here by themselves.
    </EmptyState>
  ) : (
    <EmptyState title="There are no events yet">
      An event is made when a change is committed that an active subscription fires on. It appears here by
      itself. Events older than the deployment keeps are gone.
    </EmptyState>
  );
}
