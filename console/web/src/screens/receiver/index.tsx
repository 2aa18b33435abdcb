/** One receiver: how it does and why, what it is subscribed to, how it is spoken to. The tab stands in the address. */
import type { ReactNode } from 'react';
import { useNavigate, useParams } from 'react-router';
import { useAsk, useLiveLatest, useRole } from '@/api';
import { ErrorState } from '@/design/ErrorState';
import { HealthBadge } from '@/design/HealthBadge';
import { PageHeader } from '@/design/PageHeader';
import { RoleNote } from '@/design/RoleNote';
import { Skeleton } from '@/design/Skeleton';
import { Tabs, type TabItem } from '@/design/Tabs';
import { NotFound } from '@/app/NotFound';
import { Activity } from './Activity';
import { Headers } from './Headers';
import { ReceiverActions } from './ReceiverActions';
import { ReceiverDocument, ReceiverStatsChangedDocument } from './documents';
import { receiverKey, type Receiver, type ReceiverStats } from './parts';
import { Secret } from './Secret';
import { Subscriptions } from './Subscriptions';
import { TestDelivery } from './TestDelivery';
import { ThrottleAndRetry } from './ThrottleAndRetry';
import styles from './receiver.module.css';

const BACK = { to: '/receivers', label: 'Receivers' };
const EVERY_MS = 3_000;

export default function ReceiverScreen(): ReactNode {
  const { id: written = '', tab } = useParams();
  const id = /^[1-9]\d{0,9}$/.test(written) ? Number(written) : null;
  return id === null ? <NotFound /> : <OneReceiver key={id} id={id} tab={tab} />;
}

interface OneReceiverProps {
  readonly id: number;
  readonly tab: string | undefined;
}

function OneReceiver({ id, tab }: OneReceiverProps): ReactNode {
  const { data, error, refetch } = useAsk(receiverKey(id), ReceiverDocument, { id }, { every: EVERY_MS });
  const { latest } = useLiveLatest(ReceiverStatsChangedDocument, { receiverId: id });
  const receiver = data?.webhookReceiver;

  if (error !== null && (receiver === undefined || receiver === null || error.code === 'NOT_FOUND')) {
    return (
      <>
        <PageHeader title={`Receiver ${id}`} back={BACK} />
        <ErrorState error={error} onRetry={() => void refetch()} />
      </>
    );
  }
  if (receiver === undefined || receiver === null) {
    return (
      <>
        <PageHeader title={`Receiver ${id}`} back={BACK} />
        <Skeleton lines={4} />
      </>
    );
  }
  return (
    <>
      <PageHeader
        title={receiver.name}
        back={BACK}
        mark={<HealthBadge health={receiver.health} />}
        description={
          <>
            <span className={styles['uri']}>{receiver.webhookUri}</span>
            {receiver.description !== null && receiver.description !== '' && (
              <>
                <br />
                {receiver.description}
              </>
            )}
          </>
        }
        actions={<ReceiverActions receiver={receiver} />}
        note={<MayNot />}
      />
      <ReceiverTabs receiver={receiver} stats={latest?.webhookStatsChanged ?? receiver.stats} tab={tab} />
    </>
  );
}

/** What the role may not do with a receiver, in the words of the least that it lacks. */
function MayNot(): ReactNode {
  const { may } = useRole();
  return may('operator') ? (
    <RoleNote needs="admin" to="change or delete it, rotate its secret or send it a test delivery" />
  ) : (
    <RoleNote needs="operator" to="pause or activate it; changing or deleting it takes role admin" />
  );
}

interface ReceiverTabsProps {
  readonly receiver: Receiver;
  readonly stats: ReceiverStats;
  readonly tab: string | undefined;
}

type TabId = 'activity' | 'subscriptions' | 'headers' | 'throttle' | 'secret' | 'test';

function ReceiverTabs({ receiver, stats, tab = 'activity' }: ReceiverTabsProps): ReactNode {
  const navigate = useNavigate();
  const items: readonly TabItem<TabId>[] = [
    { id: 'activity', label: 'Activity', content: () => <Activity receiver={receiver} stats={stats} /> },
    {
      id: 'subscriptions',
      label: `Subscriptions (${receiver.subscriptions.length})`,
      content: () => <Subscriptions receiver={receiver} />,
    },
    {
      id: 'headers',
      label: `Headers (${receiver.headers.length})`,
      content: () => <Headers receiver={receiver} />,
    },
    { id: 'throttle', label: 'Throttle and retry', content: () => <ThrottleAndRetry receiver={receiver} /> },
    { id: 'secret', label: 'Secret and certificate', content: () => <Secret receiver={receiver} /> },
    { id: 'test', label: 'Test delivery', content: () => <TestDelivery receiver={receiver} /> },
  ];
  const chosen = items.find(({ id }) => id === tab);
  if (chosen === undefined) return <NotFound />;
  return (
    <Tabs
      label="Parts of the receiver"
      items={items}
      value={chosen.id}
      onChange={(id) =>
        void navigate(id === 'activity' ? `/receivers/${receiver.id}` : `/receivers/${receiver.id}/${id}`)
      }
    />
  );
}
