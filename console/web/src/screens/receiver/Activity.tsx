/** How it does and why, its figures, its last events and its last failures. */
import type { ReactNode } from 'react';
import { useAsk } from '@/api';
import { Card } from '@/design/Card';
import { ErrorNote } from '@/design/ErrorNote';
import { Link } from '@/design/Link';
import { Skeleton } from '@/design/Skeleton';
import { Stat, Stats } from '@/design/Stat';
import { duration } from '@/design/time';
import { pendingCount, perSecond } from '../receivers/figures';
import { DiagnosisNote } from './DiagnosisNote';
import { ReceiverEventsDocument, ReceiverFailuresDocument } from './documents';
import { EventTable, FailureTable } from './EventTables';
import { Facts } from './Facts';
import { failuresOf } from './failures';
import type { Receiver, ReceiverStats } from './parts';
import styles from './receiver.module.css';

const EVERY_MS = 2_000;
const LAST = 10;

export interface ActivityProps {
  readonly receiver: Receiver;
  readonly stats: ReceiverStats;
}

export function Activity({ receiver, stats }: ActivityProps): ReactNode {
  return (
    <div className={styles['stack']}>
      <DiagnosisNote receiver={receiver} stats={stats} />
      <Figures stats={stats} />
      <LastFailures receiverId={receiver.id} />
      <LastEvents receiverId={receiver.id} />
      <Facts receiver={receiver} />
    </div>
  );
}

function Figures({ stats }: { readonly stats: ReceiverStats }): ReactNode {
  const { pending, oldestPendingSeconds, successRate, latencyMs } = stats;
  return (
    <Stats>
      <Stat
        label="Delivered"
        value={perSecond(stats.deliveredPerSecond)}
        unit="/s"
        note="in the last minute"
      />
      <Stat
        label="Failed"
        value={perSecond(stats.failedPerSecond)}
        unit="/s"
        note="attempts in the last minute"
        tone={stats.failedPerSecond > 0 ? 'bad' : undefined}
      />
      <Stat
        label="Success"
        value={successRate === null ? '–' : `${Math.floor(successRate * 1000) / 10} %`}
        note={successRate === null ? 'no attempt in five minutes' : 'of the attempts of five minutes'}
      />
      <Stat
        label="Pending"
        value={pendingCount(pending)}
        note={
          oldestPendingSeconds === null
            ? 'nothing waits'
            : `the oldest for ${duration(oldestPendingSeconds * 1000)}`
        }
      />
      <Stat
        label="Commit to delivery"
        value={latencyMs === null ? '–' : duration(latencyMs.p50)}
        note={latencyMs === null ? 'no delivery in five minutes' : `p50; p99 ${duration(latencyMs.p99)}`}
      />
    </Stats>
  );
}

function LastEvents({ receiverId }: { readonly receiverId: number }): ReactNode {
  const { data, error } = useAsk(
    ['events', 'of receiver', receiverId],
    ReceiverEventsDocument,
    { filters: { receiverId }, limit: LAST },
    { every: EVERY_MS },
  );
  return (
    <Card
      title="Last events"
      actions={<Link to={`/events?receiver=${receiverId}`}>All events of this receiver</Link>}
    >
      <ErrorNote error={error} />
      {data === undefined ? (
        error === null && <Skeleton lines={3} />
      ) : data.webhookEvents.length === 0 ? (
        <p className={styles['soft']}>
          None yet: no change that it is subscribed to was committed, and no test delivery was sent.
        </p>
      ) : (
        <EventTable events={data.webhookEvents} />
      )}
    </Card>
  );
}

function LastFailures({ receiverId }: { readonly receiverId: number }): ReactNode {
  const { data } = useAsk(
    ['events', 'failures of receiver', receiverId],
    ReceiverFailuresDocument,
    { failed: { receiverId, status: 'failed' }, waiting: { receiverId, status: 'pending' } },
    { every: EVERY_MS },
  );
  if (data === undefined) return null;
  const failures = failuresOf(
    data.failed,
    data.waiting.edges.map(({ node }) => node),
  );
  if (failures.length === 0) return null;
  return (
    <Card
      title="Last failures"
      actions={<Link to={`/events?receiver=${receiverId}&status=failed`}>All that finally failed</Link>}
    >
      <FailureTable events={failures} />
    </Card>
  );
}
