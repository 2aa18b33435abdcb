/** How deliveries went in the last hour, minute by minute. */
import { useMemo, type ReactNode } from 'react';
import { useAsk } from '@/api';
import { Card } from '@/design/Card';
import { ErrorState } from '@/design/ErrorState';
import { Skeleton } from '@/design/Skeleton';
import { TimeChart } from '@/design/TimeChart';
import { duration } from '@/design/time';
import { LastHourDocument } from './documents';
import { perSecond } from './figures';
import { courseOf } from './course';
import styles from './overview.module.css';

const EVERY_MS = 15_000;

export default function LastHour(): ReactNode {
  const { data, error, refetch, dataUpdatedAt } = useAsk(
    ['stats', 'history'],
    LastHourDocument,
    {},
    { every: EVERY_MS },
  );
  const course = useMemo(
    () => (data === undefined ? null : courseOf(data.webhookStatsHistory, dataUpdatedAt)),
    [data, dataUpdatedAt],
  );
  if (course === null) {
    if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
    return <Skeleton lines={1} height="16rem" />;
  }
  return (
    <div className={styles['pair']}>
      <Card title="Deliveries in the last hour">
        <TimeChart
          label="Deliveries per second"
          summary={course.deliveriesInWords}
          times={course.times}
          series={course.deliveries}
          format={perSecond}
        />
      </Card>
      <Card title="Latency in the last hour">
        <TimeChart
          label="Latency from commit to delivery"
          summary={course.latencyInWords}
          times={course.times}
          series={course.latency}
          format={duration}
        />
      </Card>
    </div>
  );
}
