/** How far the reading of committed changes is, and what it waits for. */
import type { ReactNode } from 'react';
import type { CaptureQuery } from '@/api/generated/graphql';
import { Card } from '@/design/Card';
import { CodeBlock } from '@/design/CodeBlock';
import { Note } from '@/design/Note';
import { RelativeTime } from '@/design/RelativeTime';
import { Stat, Stats } from '@/design/Stat';
import { duration } from '@/design/time';
import { OpenTransaction } from './OpenTransaction';
import styles from './capture.module.css';

const SLOW_SECONDS = 10;
const STUCK_SECONDS = 60;

export function Progress({ capture }: { readonly capture: CaptureQuery['webhookCapture'] }): ReactNode {
  const { watermark, fannedOutAt, lagSeconds, poller, oldestOpenTransaction, resources } = capture;
  const logged = resources.filter(({ triggers }) => triggers === 'IN_FORCE').length;
  return (
    <>
      {poller === null && (
        <Note kind="warn" title="No instance reads the changes now">
          Another one takes over within 6 seconds of the last one&apos;s end. If this stays, look at the
          pipeline on the overview and at rowhook&apos;s log; changes are kept meanwhile.
        </Note>
      )}
      <Stats>
        <Stat
          label="Capture lag"
          value={lagSeconds === 0 ? '0 s' : duration(lagSeconds * 1_000)}
          tone={lagSeconds > STUCK_SECONDS ? 'bad' : lagSeconds > SLOW_SECONDS ? 'warn' : undefined}
          note={lagSeconds === 0 ? 'no change waits' : 'the oldest change that waits'}
        />
        <Stat
          label="Tables logged"
          value={`${logged} of ${resources.length}`}
          tone={logged < resources.length ? 'bad' : undefined}
          note="have their triggers in force"
        />
      </Stats>
      <Card title="Watermark">
        <div className={styles['words']}>
          <p className={styles['soft']}>
            Every transaction up to this point in the order of commits is fanned out. It stands still while
            nothing changes.
          </p>
          <CodeBlock label="watermark" code={watermark} wrap />
          <p>
            Read by <code>{poller ?? 'no instance'}</code>; changes last became events{' '}
            <RelativeTime at={fannedOutAt} />.
          </p>
          <p>
            Oldest open transaction: <OpenTransaction transaction={oldestOpenTransaction} />.{' '}
            {oldestOpenTransaction !== null && (
              <span className={styles['soft']}>
                It holds up no other changes; none of its own are told of until it commits.
              </span>
            )}
          </p>
        </div>
      </Card>
    </>
  );
}
