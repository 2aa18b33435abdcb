/** What the receiver is subscribed to. */
import { useState, type ReactNode } from 'react';
import { useRole } from '@/api';
import { Badge } from '@/design/Badge';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { EmptyState } from '@/design/EmptyState';
import { Table, type Column } from '@/design/Table';
import { AddSubscription } from './AddSubscription';
import type { Receiver } from './parts';
import styles from './receiver.module.css';

type Subscription = Receiver['subscriptions'][number];

const COLUMNS: readonly Column<Subscription>[] = [
  { id: 'what', header: 'Changes', cell: ({ resource, action }) => `${resource} ${action}` },
  {
    id: 'active',
    header: 'State',
    cell: ({ active }) => <Badge tone={active ? 'good' : 'quiet'}>{active ? 'active' : 'inactive'}</Badge>,
  },
  {
    id: 'fields',
    header: 'Only when these change',
    cell: ({ changedFields }) => changedFields?.join(', ') ?? <span className={styles['soft']}>any</span>,
    wideOnly: true,
  },
  {
    id: 'filter',
    header: 'Filter',
    cell: ({ filter }) =>
      filter === null ? (
        <span className={styles['soft']}>none</span>
      ) : (
        <span className={styles['mono']}>{filter}</span>
      ),
    wideOnly: true,
  },
];

export function Subscriptions({ receiver }: { readonly receiver: Receiver }): ReactNode {
  const [adding, setAdding] = useState(false);
  const { may } = useRole();
  const add = may('admin') && (
    <Button kind="primary" onPress={() => setAdding(true)}>
      Add subscription
    </Button>
  );
  return (
    <>
      {receiver.subscriptions.length === 0 ? (
        <EmptyState title="It is subscribed to nothing" action={add}>
          So no change becomes an event for it. Subscribe it to an action on a resource.
        </EmptyState>
      ) : (
        <Card title="Subscriptions" actions={add}>
          <Table
            label="Subscriptions"
            columns={COLUMNS}
            rows={receiver.subscriptions}
            rowKey={({ id }) => id}
            href={({ id }) => `/subscriptions/${id}`}
          />
        </Card>
      )}
      {adding && <AddSubscription receiverId={receiver.id} onClose={() => setAdding(false)} />}
    </>
  );
}
