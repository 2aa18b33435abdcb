/** One change that a setting was tried on. Opened, it shows old and new, where an event tells them. */
import { useState, type ReactNode } from 'react';
import { useAsk } from '@/api';
import { parseJson } from '@/api/json';
import type { ResourceEnum, TriedChangeQuery } from '@/api/generated/graphql';
import { Badge } from '@/design/Badge';
import { DiffView } from '@/design/DiffView';
import { ErrorNote } from '@/design/ErrorNote';
import { Link } from '@/design/Link';
import { RelativeTime } from '@/design/RelativeTime';
import { Skeleton } from '@/design/Skeleton';
import { TriedChangeDocument } from './documents';
import { rowsOfBody, type Rows } from './rowsOfBody';
import type { Trial } from './TryOut';
import styles from './subscription.module.css';

export interface TriedChangeProps {
  readonly change: Trial['changes'][number];
  readonly resource: ResourceEnum;
}

export function TriedChange({ change, resource }: TriedChangeProps): ReactNode {
  const [open, setOpen] = useState(false);
  const { fires, reason, rowId, occurredAt } = change;
  return (
    <details className={styles['change']} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className={styles['changeHead']}>
        <Badge tone={fires ? 'good' : 'quiet'}>{fires ? 'fires' : 'does not fire'}</Badge>
        <span className={styles['reason']}>{reason}</span>
        <code>{rowId === null ? 'row unknown' : `row ${JSON.stringify(rowId)}`}</code>
        <span className={styles['soft']}>
          <RelativeTime at={occurredAt} />
        </span>
      </summary>
      {open && <OldAndNew change={change} resource={resource} />}
    </details>
  );
}

function OldAndNew({ change, resource }: TriedChangeProps): ReactNode {
  const { changeId, transactionId, rowId, action, occurredAt } = change;
  const known = transactionId !== null && rowId !== null;
  const events = useAsk(
    ['events', 'tried', changeId],
    TriedChangeDocument,
    { filters: { resource, action, ...(known ? { transactionId, rowId } : {}) } },
    { enabled: known },
  );
  if (known && events.isPending) return <Skeleton lines={2} />;
  if (events.isError) return <ErrorNote error={events.error} />;
  const told = toldBy(events.data?.webhookEvents ?? [], occurredAt);
  if (told === null) {
    return (
      <p className={styles['soft']}>
        No event was made of this change, so its old and new values are not kept for reading. A subscription
        that fires on it would have told them.
      </p>
    );
  }
  return (
    <div className={styles['told']}>
      <DiffView old={told.rows.old} new={told.rows.new} />
      <p className={styles['soft']}>
        As delivered with <Link to={`/events/${told.event}`}>event {told.event}</Link>
        {action === 'UPDATE' && ', which tells the columns that changed'}.
      </p>
    </div>
  );
}

/** What one of the events of the row in its transaction tells of the change at that moment. */
function toldBy(
  events: TriedChangeQuery['webhookEvents'],
  occurredAt: string,
): { readonly event: number | string; readonly rows: Rows } | null {
  for (const { id, requestData, occurredAt: at } of events) {
    if (requestData === null || Date.parse(at) !== Date.parse(occurredAt)) continue;
    const rows = rowsOfBody(read(requestData));
    if (rows !== null) return { event: id, rows };
  }
  return null;
}

function read(body: string): unknown {
  try {
    return parseJson(body);
  } catch {
    return null;
  }
}
