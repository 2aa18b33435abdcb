/** Receivers as a table; on a phone as cards. */
import type { ReactNode } from 'react';
import type { ReceiversQuery } from '@/api/generated/graphql';
import { HealthBadge } from '@/design/HealthBadge';
import { Link } from '@/design/Link';
import { names } from '@/design/names';
import { Table, type Column } from '@/design/Table';
import { pendingCount, perSecond, throttle } from './figures';
import { LastAnswer } from './LastAnswer';
import styles from './receivers.module.css';

export type ListedReceiver = ReceiversQuery['webhookReceivers']['edges'][number]['node'];

const failing = ({ stats }: ListedReceiver): ReactNode =>
  stats.failedPerSecond > 0 ? (
    <span className={names(styles['failing'], styles['oneLine'])}>{perSecond(stats.failedPerSecond)}/s</span>
  ) : (
    '0'
  );

const COLUMNS: readonly Column<ListedReceiver>[] = [
  {
    id: 'name',
    header: 'Receiver',
    cell: ({ name, webhookUri }) => (
      <>
        <span className={styles['name']}>{name}</span>
        <span className={styles['uri']} title={webhookUri}>
          {webhookUri}
        </span>
      </>
    ),
  },
  { id: 'health', header: 'Health', cell: ({ health }) => <HealthBadge health={health} /> },
  { id: 'answer', header: 'Last answer', cell: ({ lastAttempt }) => <LastAnswer attempt={lastAttempt} /> },
  {
    id: 'delivered',
    header: 'Delivered',
    cell: ({ stats }) => `${perSecond(stats.deliveredPerSecond)}/s`,
    end: true,
  },
  { id: 'failed', header: 'Failed', cell: failing, end: true },
  { id: 'pending', header: 'Pending', cell: ({ stats }) => pendingCount(stats.pending), end: true },
  {
    id: 'throttle',
    header: 'Throttle',
    cell: ({ rateLimit }) => <span className={styles['oneLine']}>{throttle(rateLimit)}</span>,
  },
];

const hrefOf = ({ id }: ListedReceiver): string => `/receivers/${id}`;

export function ReceiverList({ receivers }: { readonly receivers: readonly ListedReceiver[] }): ReactNode {
  return (
    <>
      <div className={styles['wide']}>
        <Table label="Receivers" columns={COLUMNS} rows={receivers} rowKey={({ id }) => id} href={hrefOf} />
      </div>
      <ul className={styles['cards']} aria-label="Receivers">
        {receivers.map((receiver) => (
          <ReceiverCard key={receiver.id} receiver={receiver} />
        ))}
      </ul>
    </>
  );
}

function ReceiverCard({ receiver }: { readonly receiver: ListedReceiver }): ReactNode {
  const { name, webhookUri, health, lastAttempt, stats, rateLimit } = receiver;
  return (
    <li className={styles['card']}>
      <div className={styles['cardHead']}>
        <Link to={hrefOf(receiver)} className={styles['whole'] ?? ''}>
          {name}
        </Link>
        <HealthBadge health={health} />
      </div>
      <span className={styles['uri']}>{webhookUri}</span>
      <dl className={styles['figures']}>
        <div className={styles['across']}>
          <dt>Last answer</dt>
          <dd>
            <LastAnswer attempt={lastAttempt} />
          </dd>
        </div>
        <div>
          <dt>Delivered</dt>
          <dd>{perSecond(stats.deliveredPerSecond)}/s</dd>
        </div>
        <div>
          <dt>Failed</dt>
          <dd>{failing(receiver)}</dd>
        </div>
        <div>
          <dt>Pending</dt>
          <dd>{pendingCount(stats.pending)}</dd>
        </div>
        <div>
          <dt>Throttle</dt>
          <dd>{throttle(rateLimit)}</dd>
        </div>
      </dl>
    </li>
  );
}
