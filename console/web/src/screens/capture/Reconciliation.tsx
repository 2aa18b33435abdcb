/** What came of the last comparison of changes with the events that they were owed. */
import type { ReactNode } from 'react';
import type { CaptureQuery } from '@/api/generated/graphql';
import { Badge } from '@/design/Badge';
import { Card } from '@/design/Card';
import { Note } from '@/design/Note';
import { RelativeTime } from '@/design/RelativeTime';
import styles from './capture.module.css';

export interface ReconciliationProps {
  readonly reconciliation: CaptureQuery['webhookCapture']['reconciliation'];
}

export function Reconciliation({ reconciliation }: ReconciliationProps): ReactNode {
  if (reconciliation === null) {
    return (
      <Card title="Reconciliation">
        <p className={styles['soft']}>
          Changes have not been compared with their events yet: the instance that reads them does so about
          every ten minutes.
        </p>
      </Card>
    );
  }
  const { ranAt, changes, eventsOwed, eventsFound, eventsChecked, differences, examples } = reconciliation;
  const well = Number(differences) === 0;
  return (
    <Card
      title="Reconciliation"
      actions={
        <Badge tone={well ? 'good' : 'bad'}>{well ? 'no differences' : `${differences} differences`}</Badge>
      }
    >
      <p>
        Compared <RelativeTime at={ranAt} />: {`${changes}`} changes were owed {`${eventsOwed}`} events, and
        there were {`${eventsFound}`}; {`${eventsChecked}`} events were looked at for records that contradict
        themselves.
      </p>
      {!well && (
        <Note kind="bad" title="The first differences">
          <ul>
            {examples.map((example) => (
              <li key={example}>{example}</li>
            ))}
          </ul>
          <p>
            rowhook&apos;s log and <code>rowhook doctor</code> list more. A gap is filled by replaying its
            changes below.
          </p>
        </Note>
      )}
    </Card>
  );
}
