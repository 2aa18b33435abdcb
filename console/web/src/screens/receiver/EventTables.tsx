/** Events of this receiver as short tables: the last ones, and those that failed with the reason. */
import type { ReactNode } from 'react';
import { Badge } from '@/design/Badge';
import { RelativeTime } from '@/design/RelativeTime';
import { StatusBadge } from '@/design/StatusBadge';
import { Table, type Column } from '@/design/Table';
import type { ReceiverEvent } from './parts';
import styles from './receiver.module.css';

const ID: Column<ReceiverEvent> = {
  id: 'id',
  header: 'Event',
  cell: ({ id }) => <span className={styles['mono']}>{id}</span>,
};
const WHAT: Column<ReceiverEvent> = {
  id: 'what',
  header: 'Change',
  cell: ({ resource, action, test }) => (
    <>
      {resource} {action} {test && <Badge tone="info">test</Badge>}
    </>
  ),
};
const STATUS: Column<ReceiverEvent> = {
  id: 'status',
  header: 'Status',
  cell: ({ status }) => <StatusBadge status={status} />,
};

const EVENT_COLUMNS: readonly Column<ReceiverEvent>[] = [
  ID,
  STATUS,
  WHAT,
  {
    id: 'answer',
    header: 'Answer',
    cell: ({ responseStatus }) => responseStatus ?? '–',
    end: true,
    wideOnly: true,
  },
  { id: 'attempts', header: 'Attempts', cell: ({ attemptCount }) => attemptCount, end: true, wideOnly: true },
  { id: 'when', header: 'Occurred', cell: ({ occurredAt }) => <RelativeTime at={occurredAt} /> },
];

const FAILURE_COLUMNS: readonly Column<ReceiverEvent>[] = [
  ID,
  STATUS,
  {
    id: 'error',
    header: 'Why',
    cell: ({ error }) => <span className={styles['error']}>{error}</span>,
  },
  {
    id: 'next',
    header: 'Next attempt',
    cell: ({ nextAttemptAt }) => <RelativeTime at={nextAttemptAt} never="none" />,
  },
];

const hrefOf = ({ id }: ReceiverEvent): string => `/events/${id}`;
const keyOf = ({ id }: ReceiverEvent): string => String(id);

export function EventTable({ events }: { readonly events: readonly ReceiverEvent[] }): ReactNode {
  return <Table label="Last events" columns={EVENT_COLUMNS} rows={events} rowKey={keyOf} href={hrefOf} />;
}

export function FailureTable({ events }: { readonly events: readonly ReceiverEvent[] }): ReactNode {
  return <Table label="Last failures" columns={FAILURE_COLUMNS} rows={events} rowKey={keyOf} href={hrefOf} />;
}
