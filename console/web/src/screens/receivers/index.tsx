/** The receivers: how each does, how much goes to it, what waits. Search and order stand in the address. */
import { useEffect, type ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { useAskPages, useRole } from '@/api';
import { EmptyState } from '@/design/EmptyState';
import { ErrorState } from '@/design/ErrorState';
import { Button } from '@/design/Button';
import { Link } from '@/design/Link';
import { LoadMore } from '@/design/LoadMore';
import { PageHeader } from '@/design/PageHeader';
import { Select } from '@/design/Select';
import { Skeleton } from '@/design/Skeleton';
import { TextField } from '@/design/TextField';
import { ReceiversDocument } from './documents';
import { ACTIVITY, listViewOf, matches, ORDERS, withView } from './listView';
import { ReceiverList } from './ReceiverList';
import styles from './receivers.module.css';

const PAGE = 50;
const EVERY_MS = 5_000;

export default function ReceiversScreen(): ReactNode {
  const { whyNot } = useRole();
  const refusal = whyNot('admin');
  return (
    <>
      <PageHeader
        title="Receivers"
        description="The endpoints that committed changes are posted to."
        actions={
          refusal === undefined ? (
            <Link to="/receivers/new" button="primary">
              New receiver
            </Link>
          ) : (
            <Button kind="primary" disabledReason={refusal}>
              New receiver
            </Button>
          )
        }
      />
      <Receivers />
    </>
  );
}

function Receivers(): ReactNode {
  const [address, setAddress] = useSearchParams();
  const { search, order, activity } = listViewOf(address);
  const set = (part: 'q' | 'sort' | 'active', value: string): void =>
    setAddress((current) => withView(current, part, value), { replace: true });

  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage, isFetchNextPageError } =
    useAskPages(
      ['receivers', 'list'],
      ReceiversDocument,
      (after) => ({
        first: PAGE,
        after,
        sort: order.sort,
        filters: activity.active === undefined ? null : { active: activity.active },
      }),
      ({ webhookReceivers }) => webhookReceivers.pageInfo,
      { every: EVERY_MS, keepPrevious: true },
    );
  const loaded = (data?.pages ?? []).flatMap((page) => page.webhookReceivers.edges.map(({ node }) => node));
  const found = search === '' ? loaded : loaded.filter((receiver) => matches(search, receiver));

  // The API does not search: what is searched for is looked for page by page.
  const searching = search !== '' && hasNextPage && !isFetchNextPageError;
  useEffect(() => {
    if (searching && !isFetchingNextPage) void fetchNextPage();
  }, [searching, isFetchingNextPage, fetchNextPage]);

  if (data === undefined) {
    return error === null ? (
      <Skeleton lines={5} />
    ) : (
      <ErrorState error={error} onRetry={() => void refetch()} />
    );
  }
  const total = data.pages[0]?.webhookReceivers.pageInfo.totalCount ?? loaded.length;
  const narrowed = search !== '' || activity.id !== 'all';
  if (loaded.length === 0 && !narrowed) return <NoReceivers />;

  return (
    <>
      <div className={styles['filters']}>
        <TextField
          label="Search"
          type="search"
          placeholder="name or URI"
          value={search}
          onChange={(value) => set('q', value)}
        />
        <Select
          label="State"
          options={ACTIVITY.map(({ id, label }) => ({ id, label }))}
          value={activity.id}
          onChange={(id) => set('active', id)}
        />
        <Select
          label="Order"
          options={ORDERS.map(({ id, label }) => ({ id, label }))}
          value={order.id}
          onChange={(id) => set('sort', id)}
        />
      </div>
      {error !== null && <ErrorState error={error} onRetry={() => void refetch()} />}
      {found.length === 0 ? (
        searching ? (
          <Skeleton label="Searching" />
        ) : (
          <EmptyState
            title="No receiver matches"
            action={
              <Button onPress={() => setAddress(new URLSearchParams(), { replace: true })}>Show all</Button>
            }
          >
            {search === ''
              ? `None is ${activity.label.toLowerCase()}.`
              : `None has “${search}” in its name or URI.`}
          </EmptyState>
        )
      ) : (
        <ReceiverList receivers={found} />
      )}
      {found.length > 0 && (
        <LoadMore
          shown={found.length}
          total={search === '' ? total : undefined}
          hasMore={hasNextPage}
          busy={isFetchingNextPage}
          onMore={() => void fetchNextPage()}
        />
      )}
    </>
  );
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
      committed change is posted to it.{!may('admin') && ' Making one needs a key with role admin.'}
    </EmptyState>
  );
}
