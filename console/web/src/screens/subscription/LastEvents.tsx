/** The last events of a subscription. */
import type { ReactNode } from 'react';
import type { SubscriptionQuery } from '@/api/generated/graphql';
import { Card } from '@/design/Card';
import { EmptyState } from '@/design/EmptyState';
import { Link } from '@/design/Link';
import { RelativeTime } from '@/design/RelativeTime';
import { StatusBadge } from '@/design/StatusBadge';
import { Table, type Column } from '@/design/Table';
import styles from './subscription.module.css';

type Event = NonNullable<SubscriptionQuery['webhookSubscription']>['events'][number];

const COLUMNS: readonly Column<Event>[] = [
  { id: 'id', header: 'Event', cell: ({ id }) => <code>{id}</code> },
  { id: 'status', header: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
  { id: 'sequence', header: 'Sequence', end: true, cell: ({ sequence }) => sequence },
  { id: 'row', header: 'Row', cell: ({ rowId }) => <code>{JSON.stringify(rowId)}</code> },
  { id: 'occurred', header: 'Occurred', cell: ({ occurredAt }) => <RelativeTime at={occurredAt} /> },
  { id: 'attempts', header: 'Attempts', end: true, wideOnly: true, cell: ({ attemptCount }) => attemptCount },
  {
    id: 'error',
    header: 'Why not delivered',
    wideOnly: true,
    cell: ({ error }) => <span className={styles['soft']}>{error}</span>,
  },
];

export function LastEvents({
  id,
  events,
}: {
  readonly id: number;
  readonly events: readonly Event[];
}): ReactNode {
  return (
    <Card title="Last events" actions={<Link to={`/events?subscription=${id}`}>All its events</Link>}>
      {events.length === 0 ? (
        <EmptyState title="No event yet">
          The next change that it fires on makes its first one. Changes of before can be replayed.
        </EmptyState>
      ) : (
        <Table
          label="Last events"
          columns={COLUMNS}
          rows={events}
          rowKey={({ id: event }) => event}
          href={({ id: event }) => `/events/${event}`}
        />
      )}
    </Card>
  );
}
