/** Each attempt on a timeline, with its answer or why there was none. */
import type { ReactNode } from 'react';
import { Badge } from '@/design/Badge';
import { Card } from '@/design/Card';
import { CodeBlock } from '@/design/CodeBlock';
import { names } from '@/design/names';
import { RelativeTime } from '@/design/RelativeTime';
import { duration, exactTime } from '@/design/time';
import { readable } from './body';
import type { Attempt, EventDetail } from './documents';
import { HeaderList } from './HeaderList';
import styles from './EventScreen.module.css';

export function Attempts({ event }: { readonly event: EventDetail }): ReactNode {
  const { deliveryAttempts, nextAttemptAt } = event;
  return (
    <Card title={`Attempts (${deliveryAttempts.length})`}>
      {deliveryAttempts.length === 0 && nextAttemptAt === null && (
        <p className={styles['soft']}>No request was made for this event.</p>
      )}
      <ol className={styles['timeline']}>
        {deliveryAttempts.map((attempt) => (
          <OneAttempt key={attempt.number} attempt={attempt} />
        ))}
        {nextAttemptAt !== null && (
          <li className={names(styles['attempt'], styles['due'])}>
            <div className={styles['attemptHead']}>
              <strong>Next attempt</strong>
              <span>
                <RelativeTime at={nextAttemptAt} />
              </span>
              <span className={styles['soft']}>{exactTime(new Date(nextAttemptAt))}</span>
            </div>
          </li>
        )}
      </ol>
    </Card>
  );
}

function OneAttempt({ attempt }: { readonly attempt: Attempt }): ReactNode {
  const { number, startedAt, durationMs, responseStatus, responseHeaders, responseData, error } = attempt;
  const headers = Object.entries((responseHeaders ?? {}) as Record<string, unknown>);
  return (
    <li className={names(styles['attempt'], error === null && styles['delivered'])}>
      <div className={styles['attemptHead']}>
        <strong>Attempt {number}</strong>
        <Badge tone={error === null ? 'good' : 'bad'}>
          {responseStatus === null ? 'no answer' : `HTTP ${responseStatus}`}
        </Badge>
        <span>{`took ${duration(Number(durationMs))}`}</span>
        <span className={styles['soft']}>
          <RelativeTime at={startedAt} />, {exactTime(new Date(startedAt))}
        </span>
      </div>
      {error !== null && <p className={styles['error']}>{error}</p>}
      {responseStatus !== null && (
        <details className={styles['more']} open={error !== null}>
          <summary>Response headers and body</summary>
          <div className={styles['words']}>
            <HeaderList headers={headers.map(([key, value]) => [key, String(value)])} />
            {responseData === null || responseData === '' ? (
              <p className={styles['soft']}>The body was empty.</p>
            ) : (
              <CodeBlock code={readable(responseData)} label={`response body of attempt ${number}`} wrap />
            )}
          </div>
        </details>
      )}
    </li>
  );
}
