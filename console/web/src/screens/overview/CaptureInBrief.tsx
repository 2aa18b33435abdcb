/** How far the reading of changes is, in a few words; the rest is on its own page. */
import type { ReactNode } from 'react';
import { useAsk } from '@/api';
import { Badge } from '@/design/Badge';
import { Card } from '@/design/Card';
import { ErrorState } from '@/design/ErrorState';
import { Link } from '@/design/Link';
import { RelativeTime } from '@/design/RelativeTime';
import { Skeleton } from '@/design/Skeleton';
import { CAPTURE_EVERY_MS, CaptureDocument } from '@/screens/capture/documents';
import { OpenTransaction } from '@/screens/capture/OpenTransaction';
import styles from './overview.module.css';

export function CaptureInBrief(): ReactNode {
  const { data, error, refetch } = useAsk(['capture'], CaptureDocument, {}, { every: CAPTURE_EVERY_MS });
  if (data === undefined) {
    return (
      <Card title="Changes and capture">
        {error === null ? (
          <Skeleton lines={3} />
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )}
      </Card>
    );
  }
  const { watermark, fannedOutAt, oldestOpenTransaction, resources } = data.webhookCapture;
  const unlogged = resources.filter(({ triggers }) => triggers !== 'IN_FORCE').length;
  return (
    <Card title="Changes and capture" actions={<Link to="/capture">Details</Link>}>
      <dl className={styles['facts']}>
        <dt>Watermark</dt>
        <dd>
          <code>{watermark}</code>
        </dd>
        <dt>Moved on</dt>
        <dd>
          <RelativeTime at={fannedOutAt} />
        </dd>
        <dt>Oldest open transaction</dt>
        <dd>
          <OpenTransaction transaction={oldestOpenTransaction} />
        </dd>
        <dt>Watched tables</dt>
        <dd>
          {unlogged === 0 ? (
            `all ${resources.length} have their triggers in force`
          ) : (
            <Badge tone="bad">{`${unlogged} of ${resources.length} are not logged as they should be`}</Badge>
          )}
        </dd>
      </dl>
    </Card>
  );
}
