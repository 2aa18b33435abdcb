/** The screen "Subscriptions": which changes go to which receiver. */
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { useAskPages, useRole } from '@/api';
import type { SubscriptionListQuery } from '@/api/generated/graphql';
import { Badge } from '@/design/Badge';
import { Button } from '@/design/Button';
import { EmptyState } from '@/design/EmptyState';
import { ErrorState } from '@/design/ErrorState';
import { Link } from '@/design/Link';
import { LoadMore } from '@/design/LoadMore';
import { PageHeader } from '@/design/PageHeader';
import { RoleNote } from '@/design/RoleNote';
import { RelativeTime } from '@/design/RelativeTime';
import { Skeleton } from '@/design/Skeleton';
import { Table, type Column } from '@/design/Table';
import { SubscriptionListDocument } from './documents';
import { ListFilters } from './ListFilters';
import { filtersOf } from './listView';
import styles from './subscriptions.module.css';

type Row = SubscriptionListQuery['webhookSubscriptions']['edges'][number]['node'];

const COLUMNS: readonly Column<Row>[] = [
  {
    id: 'what',
    header: 'Changes',
    cell: ({ resource, action }) => (
      <code className={styles['whole']}>
        {resource} {action}
      </code>
    ),
  },
  {
    id: 'receiver',
    header: 'Receiver',
    cell: ({ receiver }) => <Link to={`/receivers/${receiver.id}`}>{receiver.name}</Link>,
  },
  { id: 'active', header: 'State', cell: (row) => <State {...row} /> },
  { id: 'narrowed', header: 'Only when', cell: (row) => <Narrowed {...row} /> },
  {
    id: 'updated',
    header: 'Changed',
    wideOnly: true,
    cell: ({ updatedAt }) => (
      <span className={styles['whole']}>
        <RelativeTime at={updatedAt} />
      </span>
    ),
  },
  { id: 'id', header: 'Id', end: true, wideOnly: true, cell: ({ id }) => <code>{id}</code> },
];

function State({ active, receiver }: Pick<Row, 'active' | 'receiver'>): ReactNode {
  if (!active) return <Badge>inactive</Badge>;
  return receiver.active ? <Badge tone="good">active</Badge> : <Badge tone="warn">receiver inactive</Badge>;
}

function Narrowed({ changedFields, filter }: Pick<Row, 'changedFields' | 'filter'>): ReactNode {
  if (changedFields === null && filter === null) return <span className={styles['soft']}>always</span>;
  return (
    <div className={styles['narrowed']}>
      {changedFields !== null && <span>{changedFields.join(', ')} changed</span>}
      {filter !== null && (
        <code className={styles['excerpt']} title={filter}>
          {filter}
        </code>
      )}
    </div>
  );
}

export default function SubscriptionsScreen(): ReactNode {
  const [address] = useSearchParams();
  const { may } = useRole();
  const receiver = filtersOf(address).receiverId;
  const creation = receiver == null ? '/subscriptions/new' : `/subscriptions/new?receiver=${receiver}`;
  return (
    <>
      <PageHeader
        title="Subscriptions"
        description="Each sends the changes of one resource and action to one receiver."
        actions={
          may('admin') && (
            <Link to={creation} button="primary">
              New subscription
            </Link>
          )
        }
        note={<RoleNote needs="admin" to="make, change and delete subscriptions" />}
      />
      <ListFilters />
      <List />
    </>
  );
}

function List(): ReactNode {
  const [address, setAddress] = useSearchParams();
  const filters = filtersOf(address);
  const list = useAskPages(
    ['subscriptions', 'list'],
    SubscriptionListDocument,
    (after) => ({ filters, after }),
    ({ webhookSubscriptions }) => webhookSubscriptions.pageInfo,
    { keepPrevious: true },
  );

  if (list.isPending) return <Skeleton lines={6} />;
  if (list.data === undefined) {
    return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  }
  const rows = list.data.pages.flatMap(({ webhookSubscriptions }) =>
    webhookSubscriptions.edges.map(({ node }) => node),
  );
  if (rows.length === 0) {
    return Object.keys(filters).length === 0 ? (
      <EmptyState title="There are no subscriptions yet">
        Without one no receiver gets anything. Make one with “New subscription”: choose a receiver, a resource
        and an action.
      </EmptyState>
    ) : (
      <EmptyState
        title="No subscription matches"
        action={<Button onPress={() => setAddress({}, { replace: true })}>Show all subscriptions</Button>}
      >
        None has all that the filters ask for.
      </EmptyState>
    );
  }
  return (
    <>
      <Table
        stack
        label="Subscriptions"
        columns={COLUMNS}
        rows={rows}
        rowKey={({ id }) => id}
        href={({ id }) => `/subscriptions/${id}`}
      />
      <LoadMore
        shown={rows.length}
        total={list.data.pages[0]?.webhookSubscriptions.pageInfo.totalCount}
        hasMore={list.hasNextPage}
        busy={list.isFetchingNextPage}
        onMore={() => void list.fetchNextPage()}
      />
    </>
  );
}
