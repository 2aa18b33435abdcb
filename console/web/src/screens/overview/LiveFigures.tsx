/** The figures of this moment, pushed by rowhook each second in which they change. */
import { useState, type ReactNode } from 'react';
import { useLive } from '@/api';
import { LiveNote } from '@/design/LiveNote';
import { names } from '@/design/names';
import { RelativeTime } from '@/design/RelativeTime';
import { Skeleton } from '@/design/Skeleton';
import { Sparkline } from '@/design/Sparkline';
import { Stat } from '@/design/Stat';
import { duration } from '@/design/time';
import { OverviewStatsDocument } from './documents';
import { pendingCount, perSecond, seconds, share, toneAbove, withNewest, type Figures } from './figures';
import styles from './overview.module.css';

export function LiveFigures(): ReactNode {
  const [history, setHistory] = useState<readonly Figures[]>([]);
  const [toldAt, setToldAt] = useState<string | null>(null);
  const live = useLive(
    OverviewStatsDocument,
    {},
    {
      on: ({ webhookStatsChanged }) => {
        setHistory((before) => withNewest(before, webhookStatsChanged));
        setToldAt(new Date().toISOString());
      },
    },
  );
  const now = history.at(-1);
  const old = live.error !== null || live.connection !== 'live';
  return (
    <section aria-label="Live figures" className={styles['figures']}>
      <LiveNote live={live} />
      {now === undefined && live.error === null && (
        <Skeleton label="Waiting for the live figures" lines={2} height="6rem" />
      )}
      {now !== undefined && (
        <>
          {old && (
            <p className={styles['soft']}>
              The connection is interrupted; these figures are from <RelativeTime at={toldAt} />.
            </p>
          )}
          <div className={names(old && styles['old'])}>
            <FiguresNow now={now} history={history} />
          </div>
        </>
      )}
    </section>
  );
}

function FiguresNow({
  now,
  history,
}: {
  readonly now: Figures;
  readonly history: readonly Figures[];
}): ReactNode {
  const course = (label: string, value: (figures: Figures) => number): ReactNode =>
    history.length < 2 ? undefined : (
      <span className={styles['course']}>
        <Sparkline label={`Course of ${label} since this page was opened`} values={history.map(value)} />
      </span>
    );
  const { latencyMs, successRate, oldestPendingSeconds, captureLagSeconds } = now;
  return (
    <div className={styles['stats']}>
      <Stat
        label="Deliveries"
        value={perSecond(now.deliveredPerSecond)}
        unit="/s"
        note={course('deliveries', ({ deliveredPerSecond }) => deliveredPerSecond)}
      />
      <Stat
        label="Failed attempts"
        value={perSecond(now.failedPerSecond)}
        unit="/s"
        tone={now.failedPerSecond > 0 ? 'warn' : undefined}
        note={course('failed attempts', ({ failedPerSecond }) => failedPerSecond)}
      />
      <Stat
        label="Success rate"
        value={successRate === null ? 'none' : share(successRate)}
        tone={toneAbove(successRate === null ? null : 1 - successRate, 0.01, 0.1)}
        note={successRate === null ? 'no attempts in the last 5 minutes' : 'of the last 5 minutes'}
      />
      <Stat
        label="Latency p50"
        value={latencyMs === null ? 'none' : duration(latencyMs.p50)}
        note={
          course('the latency p50', (figures) => figures.latencyMs?.p50 ?? 0) ?? 'from commit to delivery'
        }
      />
      <Stat
        label="Latency p99"
        value={latencyMs === null ? 'none' : duration(latencyMs.p99)}
        note={
          course('the latency p99', (figures) => figures.latencyMs?.p99 ?? 0) ?? 'from commit to delivery'
        }
      />
      <Stat
        label="Pending"
        value={pendingCount(now.pending)}
        note={course('pending events', ({ pending }) => Number(pending))}
      />
      <Stat
        label="Oldest pending"
        value={oldestPendingSeconds === null ? 'none' : seconds(oldestPendingSeconds)}
        tone={toneAbove(oldestPendingSeconds, 60, 3_600)}
        note={course('the oldest pending event', (figures) => figures.oldestPendingSeconds ?? 0)}
      />
      <Stat
        label="Capture lag"
        value={seconds(captureLagSeconds)}
        tone={toneAbove(captureLagSeconds, 10, 60)}
        note={course('the capture lag', (figures) => figures.captureLagSeconds)}
      />
    </div>
  );
}
