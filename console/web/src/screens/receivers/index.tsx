/** The receivers: how each does, how much goes to it, what waits. Search, health and order stand in the address. */
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { useAskPages, useRole } from '@/api';
import { EmptyState } from '@/design/EmptyState';
import { ErrorState } from '@/design/ErrorState';
import { Button } from '@/design/Button';
import { Link } from '@/design/Link';
import { LoadMore } from '@/design/LoadMore';
import { PageHeader } from '@/design/PageHeader';
import { RoleNote } from '@/design/RoleNote';
import { Select } from '@/design/Select';
import { Skeleton } from '@/design/Skeleton';
import { TextField } from '@/design/TextField';
import { useSettled } from '@/design/useSettled';
import { ReceiversDocument } from './documents';
import { filtersOf, HEALTH, listViewOf, ORDERS, withView, type ListView, type Part } from './listView';
import { ReceiverList } from './ReceiverList';
import styles from './receivers.module.css';

const PAGE = 50;
const EVERY_MS = 5_000;
/** What is typed is searched for when the typing pauses. */
const PAUSE_MS = 250;

export default function ReceiversScreen(): ReactNode {
  const { may } = useRole();
  return (
    <>
      <PageHeader
        title="Receivers"
        description="The endpoints that committed changes are posted to."
        actions={
          may('admin') && (
            <Link to="/receivers/new" button="primary">
              New receiver
            </Link>
          )
        }
        note={<RoleNote needs="admin" to="make, change and delete receivers" />}
      />
      <Receivers />
    </>
  );
}

function Receivers(): ReactNode {
  const [address, setAddress] = useSearchParams();
  const { search, order, health } = listViewOf(address);
  const set = (part: Part, value: string): void =>
    setAddress((current) => withView(current, part, value), { replace: true });
  const filters = filtersOf(useSettled(search, PAUSE_MS), health);

  const list = useAskPages(
    ['receivers', 'list'],
    ReceiversDocument,
    (after) => ({ first: PAGE, after, sort: order.sort, filters }),
    ({ webhookReceivers }) => webhookReceivers.pageInfo,
    { every: EVERY_MS, keepPrevious: true },
  );
  const { data, error, refetch, isPlaceholderData } = list;
  const retry = (): void => void refetch();
  const narrowed = search !== '' || filters !== null;

  if (data === undefined && error === null) return <Skeleton lines={5} />;
  if (data === undefined && !narrowed) return <ErrorState error={error} onRetry={retry} />;
  const found = (data?.pages ?? []).flatMap((page) => page.webhookReceivers.edges.map(({ node }) => node));
  if (found.length === 0 && !narrowed && !isPlaceholderData) return <NoReceivers />;

  return (
    <>
      <div className={styles['filters']} role="search" aria-label="Filters">
        <TextField
          label="Search"
          type="search"
          placeholder="name, description or URI"
          value={search}
          onChange={(value) => set('q', value)}
        />
        <Select label="Health" options={HEALTH} value={health.id} onChange={(id) => set('health', id)} />
        <Select label="Order" options={ORDERS} value={order.id} onChange={(id) => set('sort', id)} />
      </div>
      {error !== null && <ErrorState error={error} onRetry={retry} />}
      {found.length > 0 ? (
        <>
          <ReceiverList receivers={found} />
          <LoadMore
            shown={found.length}
            total={data?.pages[0]?.webhookReceivers.pageInfo.totalCount}
            hasMore={list.hasNextPage}
            busy={list.isFetchingNextPage}
            onMore={() => void list.fetchNextPage()}
          />
        </>
      ) : isPlaceholderData ? (
        <Skeleton label="Searching" />
      ) : (
        error === null && (
          <EmptyState
            title="No receiver matches"
            action={
              <Button onPress={() => setAddress(new URLSearchParams(), { replace: true })}>Show all</Button>
            }
          >
            {noMatch(search.trim(), health)}
          </EmptyState>
        )
      )}
    </>
  );
}

function noMatch(search: string, health: ListView['health']): string {
  const word = health.label.toLowerCase();
  if (search === '') return `None is ${word}.`;
  const text = `has “${search}” in its name, description or URI`;
  return health.health === undefined ? `None ${text}.` : `None that is ${word} ${text}.`;
}

function NoReceivers(): ReactNode {
  const { may } = useRole();
  return (
    <EmptyState
      title="There is no receiver yet"
      action={
        may('admin') ? (
          <Link to="/receivers/new" button="primary">
            Create the first one
          </Link>
        ) : undefined
      }
    >
      A receiver is an endpoint of yours. Register its URI, subscribe it to changes of a resource, and each
      committed change is posted to it.
    </EmptyState>
  );
}
