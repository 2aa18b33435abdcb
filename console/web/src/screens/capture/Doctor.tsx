/** What `rowhook doctor` finds on this database, with what to do. It takes some seconds, so it is asked for. */
import { useState, type ReactNode } from 'react';
import { useAsk, useRole } from '@/api';
import type { DoctorQuery, WebhookDoctorSeverity } from '@/api/generated/graphql';
import { Badge, type Tone } from '@/design/Badge';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { ErrorNote } from '@/design/ErrorNote';
import { RelativeTime } from '@/design/RelativeTime';
import { RoleNote } from '@/design/RoleNote';
import { Skeleton } from '@/design/Skeleton';
import { DoctorDocument } from './documents';
import styles from './capture.module.css';

type Found = DoctorQuery['webhookDoctor'][number];

const LOOK: Readonly<Record<WebhookDoctorSeverity, readonly [Tone, string]>> = {
  PROBLEM: ['bad', 'problem'],
  WARNING: ['warn', 'warning'],
  NOTE: ['info', 'note'],
  OK: ['good', 'ok'],
};

const WORST_FIRST: readonly WebhookDoctorSeverity[] = ['PROBLEM', 'WARNING', 'NOTE', 'OK'];

export function Doctor(): ReactNode {
  const { may } = useRole();
  const [asked, setAsked] = useState(false);
  const { data, error, isFetching, refetch, dataUpdatedAt } = useAsk(
    ['capture', 'doctor'],
    DoctorDocument,
    {},
    { enabled: asked },
  );
  const look = (): void => {
    if (asked) void refetch();
    else setAsked(true);
  };
  return (
    <Card
      title="Doctor"
      actions={
        may('admin') && (
          <Button onPress={look} busy={isFetching}>
            {data === undefined ? 'Examine the database' : 'Examine again'}
          </Button>
        )
      }
    >
      <p className={styles['soft']}>
        Looks whether every change is seen and told of, and says what to do where not. It changes nothing and
        takes up to some seconds.
      </p>
      <RoleNote needs="admin" to="examine the database" />
      <ErrorNote error={error} />
      {data === undefined && isFetching && <Skeleton label="Examining the database" lines={3} />}
      {data !== undefined && (
        <>
          <p role="status">
            {verdict(data.webhookDoctor)}, seen <RelativeTime at={new Date(dataUpdatedAt).toISOString()} />.
          </p>
          <Findings findings={data.webhookDoctor} />
        </>
      )}
    </Card>
  );
}

function verdict(findings: readonly Found[]): string {
  const wrong = findings.filter(({ severity }) => severity === 'PROBLEM' || severity === 'WARNING').length;
  if (wrong === 0) return 'All is as it should be';
  return wrong === 1 ? 'One thing is to be mended' : `${wrong} things are to be mended`;
}

function Findings({ findings }: { readonly findings: readonly Found[] }): ReactNode {
  const ordered = findings.toSorted(
    (a, b) => WORST_FIRST.indexOf(a.severity) - WORST_FIRST.indexOf(b.severity),
  );
  return (
    <ul className={styles['form']} aria-label="Findings">
      {ordered.map(({ severity, area, title, place, summary, mend }) => (
        <li key={`${area} ${place} ${summary}`} className={styles['words']}>
          <div className={styles['line']}>
            <Badge tone={LOOK[severity][0]}>{LOOK[severity][1]}</Badge>
            <strong>{title}</strong>
            <code>{place}</code>
          </div>
          <p>{summary}</p>
          {mend !== null && (
            <p>
              <strong>To do:</strong> {mend}
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
