/** What a row of the list of events says. */
import type { ReactNode } from 'react';
import { RelativeTime } from '@/design/RelativeTime';
import { StatusBadge } from '@/design/StatusBadge';
import type { Column } from '@/design/Table';
import { names } from '@/design/names';
import type { EventRow } from './documents';
import { rowKeyText } from './filters';
import styles from './EventList.module.css';

function answerOf({ error, responseStatus, attemptCount }: EventRow): string {
  if (responseStatus !== null) return `HTTP ${responseStatus}`;
  if (error !== null) return error;
  return attemptCount === 0 ? 'not attempted yet' : 'no answer';
}

const what = ({ resource, action }: EventRow): string => `${resource} ${action}`;

export const COLUMNS: readonly Column<EventRow>[] = [
  {
    id: 'status',
    header: 'Status',
    width: '7.5rem',
    cell: ({ status }) => <StatusBadge status={status} />,
  },
  {
    id: 'id',
    header: 'Event',
    width: '5rem',
    cell: ({ id }) => <span className={styles['mono']}>{id}</span>,
  },
  {
    id: 'what',
    header: 'Resource and action',
    width: 'minmax(0, 1.7fr)',
    cell: (row) => (row.test ? `${what(row)} (test)` : what(row)),
  },
  {
    id: 'row',
    header: 'Row',
    width: '4.5rem',
    cell: ({ rowId }) => <span className={styles['mono']}>{rowKeyText(rowId)}</span>,
  },
  {
    id: 'receiver',
    header: 'Receiver',
    width: 'minmax(0, 1fr)',
    cell: ({ receiver }) => receiver?.name ?? 'gone',
  },
  {
    id: 'answer',
    header: 'Answer',
    width: 'minmax(0, 0.8fr)',
    cell: (row) => <span title={row.error ?? undefined}>{answerOf(row)}</span>,
  },
  {
    id: 'attempts',
    header: 'Attempts',
    width: '6rem',
    end: true,
    cell: ({ attemptCount }) => attemptCount,
  },
  {
    id: 'occurred',
    header: 'Occurred',
    width: '8.5rem',
    end: true,
    cell: ({ occurredAt }) => <RelativeTime at={occurredAt} />,
  },
];

/** The same on a phone. */
export function CompactEvent(row: EventRow): ReactNode {
  return (
    <div className={styles['compact']}>
      <div className={styles['line']}>
        <span className={styles['cut']}>
          {what(row)} <span className={styles['mono']}>{rowKeyText(row.rowId)}</span>
        </span>
        <StatusBadge status={row.status} />
      </div>
      <div className={names(styles['line'], styles['soft'])}>
        <span className={styles['cut']}>{row.error ?? row.receiver?.name ?? 'receiver gone'}</span>
        <RelativeTime at={row.occurredAt} />
      </div>
    </div>
  );
}
