/** The receivers that do not get what they are owed, and why; one quiet line when there are none. */
import type { ReactNode } from 'react';
import { useAsk } from '@/api';
import type { OverviewReceiversQuery } from '@/api/generated/graphql';
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

type Receiver = OverviewReceiversQuery['probing']['edges'][number]['node'];

export function ReceiversInTrouble(): ReactNode {
  const { data, error, refetch } = useAsk(
    ['receivers', 'trouble'],
    OverviewReceiversDocument,
    { first: SHOWN },
    { every: EVERY_MS },
  );
  if (data === undefined) {
    if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
    return <Skeleton lines={1} />;
  }
  const count = Number(data.all.pageInfo.totalCount);
  if (count === 0) {
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
  const lists = [data.probing, data.failing, data.inactive];
  const troubled = lists.reduce((sum, { pageInfo }) => sum + Number(pageInfo.totalCount), 0);
  if (troubled === 0) {
    return (
      <p className={styles['line']}>
        <Badge tone="good">all well</Badge>
        <span>{count === 1 ? 'The receiver is healthy.' : `All ${count} receivers are healthy.`}</span>
      </p>
    );
  }
  const shown = lists.flatMap(({ edges }) => edges.map(({ node }) => node)).slice(0, SHOWN);
  return (
    <Card title={`Receivers in trouble: ${troubled}`}>
      <ul className={styles['list']}>
        {shown.map((receiver) => (
          <Trouble key={receiver.id} receiver={receiver} />
        ))}
      </ul>
      {troubled > shown.length && (
        <p className={styles['soft']}>
          {`${troubled - shown.length} more are among the `}
          <Link to="/receivers">receivers</Link>.
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
