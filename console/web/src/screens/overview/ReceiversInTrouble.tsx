/** The receivers that do not get what they are owed, and why; one quiet line when there are none. */
import type { ReactNode } from 'react';
import { useAsk } from '@/api';
import type { OverviewReceiversQuery, WebhookReceiverHealth } from '@/api/generated/graphql';
import { Badge } from '@/design/Badge';
import { Card } from '@/design/Card';
import { EmptyState } from '@/design/EmptyState';
import { ErrorState } from '@/design/ErrorState';
import { HealthBadge } from '@/design/HealthBadge';
import { Link } from '@/design/Link';
import { RelativeTime } from '@/design/RelativeTime';
import { Skeleton } from '@/design/Skeleton';
import { OverviewReceiversDocument } from './documents';
import styles from './overview.module.css';

const EVERY_MS = 5_000;
const SHOWN = 20;

type Receiver = OverviewReceiversQuery['webhookReceivers']['edges'][number]['node'];

/** What is worst comes first. */
const WORST_FIRST: Readonly<Record<WebhookReceiverHealth, number>> = {
  PROBING: 0,
  FAILING: 1,
  INACTIVE: 2,
  HEALTHY: 3,
};

export function ReceiversInTrouble(): ReactNode {
  const { data, error, refetch } = useAsk(
    ['receivers', 'trouble'],
    OverviewReceiversDocument,
    {},
    { every: EVERY_MS },
  );
  if (data === undefined) {
    if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
    return <Skeleton lines={1} />;
  }
  const { edges, pageInfo } = data.webhookReceivers;
  if (edges.length === 0) {
    return (
      <EmptyState
        title="There are no receivers yet"
        action={
          <Link to="/receivers" button="primary">
            Go to the receivers
          </Link>
        }
      >
        A receiver is the endpoint that webhooks are posted to. Make one, then subscribe it to changes.
      </EmptyState>
    );
  }
  const troubled = edges
    .map(({ node }) => node)
    .filter(({ health }) => health !== 'HEALTHY')
    .toSorted((a, b) => WORST_FIRST[a.health] - WORST_FIRST[b.health] || a.id - b.id);
  const beyond = Number(pageInfo.totalCount) - edges.length;
  const unseen = beyond > 0 ? ` Only the first ${edges.length} were looked at.` : '';
  if (troubled.length === 0) {
    return (
      <p className={styles['line']}>
        <Badge tone="good">all well</Badge>
        <span>
          {edges.length === 1 ? 'The receiver is healthy.' : `All ${edges.length} receivers are healthy.`}
          {unseen}
        </span>
      </p>
    );
  }
  return (
    <Card title={`Receivers in trouble: ${troubled.length}`}>
      <ul className={styles['list']}>
        {troubled.slice(0, SHOWN).map((receiver) => (
          <Trouble key={receiver.id} receiver={receiver} />
        ))}
      </ul>
      {(troubled.length > SHOWN || beyond > 0) && (
        <p className={styles['soft']}>
          {troubled.length > SHOWN && `${troubled.length - SHOWN} more are among the `}
          {troubled.length > SHOWN && <Link to="/receivers">receivers</Link>}
          {troubled.length > SHOWN && '.'}
          {unseen}
        </p>
      )}
    </Card>
  );
}

function Trouble({
  receiver: { id, name, health, inactiveReason, healthDetails },
}: {
  readonly receiver: Receiver;
}): ReactNode {
  const { reason, since } = healthDetails;
  return (
    <li>
      <div className={styles['line']}>
        <HealthBadge health={health} />
        <Link to={`/receivers/${id}`}>{name}</Link>
        {since !== null && (
          <span className={styles['soft']}>
            since <RelativeTime at={since} />
          </span>
        )}
      </div>
      <p className={styles['soft']}>
        {inactiveReason ?? reason ?? 'It was made inactive by a person: it gets no events.'}
      </p>
    </li>
  );
}
