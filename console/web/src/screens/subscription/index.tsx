/** The screen of one subscription, and at /subscriptions/new the form that makes one. */
import type { ReactNode } from 'react';
import { useParams } from 'react-router';
import { useAsk } from '@/api';
import { Badge } from '@/design/Badge';
import { EmptyState } from '@/design/EmptyState';
import { ErrorState } from '@/design/ErrorState';
import { Link } from '@/design/Link';
import { Note } from '@/design/Note';
import { PageHeader } from '@/design/PageHeader';
import { RelativeTime } from '@/design/RelativeTime';
import { Skeleton } from '@/design/Skeleton';
import { useChoices } from '../subscriptions/choices';
import { SubscriptionDocument } from './documents';
import { EditSubscription } from './EditSubscription';
import { LastEvents } from './LastEvents';
import { NewSubscription } from './NewSubscription';
import { SubscriptionActions } from './SubscriptionActions';
import styles from './subscription.module.css';

const BACK = { to: '/subscriptions', label: 'Subscriptions' };
const EVERY_MS = 3_000;

export default function SubscriptionScreen(): ReactNode {
  const { id = '' } = useParams();
  const choices = useChoices();
  if (id === 'new') {
    return choices.data === undefined ? (
      <Unread title="New subscription" failed={choices.error} onRetry={choices.again} />
    ) : (
      <NewSubscription choices={choices.data} />
    );
  }
  if (!/^\d{1,9}$/.test(id)) {
    return (
      <>
        <PageHeader title="No such subscription" back={BACK} />
        <EmptyState title="A subscription's id is a number">The link may be cut off.</EmptyState>
      </>
    );
  }
  return <Detail key={id} id={Number(id)} />;
}

function Unread({
  title,
  failed,
  onRetry,
}: {
  readonly title: string;
  readonly failed: Parameters<typeof ErrorState>[0]['error'] | null;
  readonly onRetry: () => void;
}): ReactNode {
  return (
    <>
      <PageHeader title={title} back={BACK} />
      {failed === null ? <Skeleton lines={6} /> : <ErrorState error={failed} onRetry={onRetry} />}
    </>
  );
}

function Detail({ id }: { readonly id: number }): ReactNode {
  const asked = useAsk(['subscriptions', 'one', id], SubscriptionDocument, { id }, { every: EVERY_MS });
  const choices = useChoices();
  const stored = asked.data?.webhookSubscription;
  const title = `Subscription ${id}`;
  if (stored === undefined || stored === null) {
    return <Unread title={title} failed={asked.error} onRetry={() => void asked.refetch()} />;
  }
  const { resource, action, active, receiver, events, createdAt, createdBy } = stored;
  const sequence = events[0]?.sequence ?? null;
  return (
    <>
      <PageHeader
        title={title}
        back={BACK}
        mark={active ? <Badge tone="good">active</Badge> : <Badge>inactive</Badge>}
        description={
          <>
            <code>
              {resource} {action}
            </code>{' '}
            to <Link to={`/receivers/${receiver.id}`}>{receiver.name}</Link>. Made{' '}
            <RelativeTime at={createdAt} /> by {createdBy.name}, changed{' '}
            <RelativeTime at={stored.updatedAt} /> by {stored.updatedBy.name}.{' '}
            {sequence !== null && `Its last sequence number is ${sequence}.`}
          </>
        }
        actions={<SubscriptionActions stored={stored} receiver={receiver.name} />}
      />
      <div className={styles['page']}>
        {active && !receiver.active && (
          <Note kind="warn" title="Its receiver is inactive">
            Events are made and wait.{' '}
            <Link to={`/receivers/${receiver.id}`}>Make {receiver.name} active</Link> to send them.
          </Note>
        )}
        {choices.data !== undefined && <EditSubscription stored={stored} choices={choices.data} />}
        {choices.data === undefined && choices.error === null && <Skeleton lines={6} />}
        {choices.error !== null && <ErrorState error={choices.error} onRetry={choices.again} />}
        <LastEvents id={id} events={events} />
      </div>
    </>
  );
}
