/** The overview: do webhooks flow, and if not, where to look. */
import { lazy, Suspense, type ReactNode } from 'react';
import { PageHeader } from '@/design/PageHeader';
import { Skeleton } from '@/design/Skeleton';
import { CaptureInBrief } from './CaptureInBrief';
import { CommitChange } from './CommitChange';
import { Instances } from './Instances';
import { LiveFigures } from './LiveFigures';
import { Pipeline } from './Pipeline';
import { ReceiversInTrouble } from './ReceiversInTrouble';
import styles from './overview.module.css';

// The library that draws the charts is loaded after what matters first.
const LastHour = lazy(() => import('./LastHour'));

export default function OverviewScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Overview" />
      <div className={styles['parts']}>
        <LiveFigures />
        <ReceiversInTrouble />
        <CommitChange />
        <Suspense fallback={<Skeleton lines={1} height="16rem" />}>
          <LastHour />
        </Suspense>
        <div className={styles['pair']}>
          <Pipeline />
          <CaptureInBrief />
        </div>
        <Instances />
      </div>
    </>
  );
}
