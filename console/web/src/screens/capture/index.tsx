/** Changes and capture: which tables are watched, how far the reading of changes is, replay of history. */
import type { ReactNode } from 'react';
import { useAsk } from '@/api';
import { ErrorState } from '@/design/ErrorState';
import { PageHeader } from '@/design/PageHeader';
import { Skeleton } from '@/design/Skeleton';
import { CAPTURE_EVERY_MS, CaptureDocument } from './documents';
import { Catalogue } from './Catalogue';
import { Doctor } from './Doctor';
import { Progress } from './Progress';
import { Reconciliation } from './Reconciliation';
import { Replay } from './Replay';
import styles from './capture.module.css';

export default function CaptureScreen(): ReactNode {
  return (
    <>
      <PageHeader
        title="Changes and capture"
        description="Each committed change of a watched table is logged by triggers, read in commit order, and made into events."
      />
      <div className={styles['parts']}>
        <Capture />
        <Doctor />
        <Replay />
      </div>
    </>
  );
}

function Capture(): ReactNode {
  const { data, error, refetch } = useAsk(['capture'], CaptureDocument, {}, { every: CAPTURE_EVERY_MS });
  if (data === undefined) {
    if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
    return <Skeleton lines={6} />;
  }
  const capture = data.webhookCapture;
  return (
    <>
      <Progress capture={capture} />
      <Catalogue tables={capture.resources} />
      <Reconciliation reconciliation={capture.reconciliation} />
    </>
  );
}
