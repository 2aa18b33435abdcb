/** What came of a test delivery: asked for until it is no longer pending. */
import { useState, type ReactNode } from 'react';
import { useAsk } from '@/api';
import type { TestEventQuery } from '@/api/generated/graphql';
import { Card } from '@/design/Card';
import { CodeBlock } from '@/design/CodeBlock';
import { ErrorState } from '@/design/ErrorState';
import { Link } from '@/design/Link';
import { Note } from '@/design/Note';
import { Skeleton } from '@/design/Skeleton';
import { StatusBadge } from '@/design/StatusBadge';
import { duration } from '@/design/time';
import { TestEventDocument } from './documents';
import styles from './receiver.module.css';

const EVERY_MS = 400;

type TestEvent = NonNullable<TestEventQuery['webhookEvent']>;

export function TestAnswer({ eventId }: { readonly eventId: number | string }): ReactNode {
  const [settled, setSettled] = useState(false);
  const { data, error, refetch } = useAsk(
    ['events', 'test', eventId],
    TestEventDocument,
    { id: eventId },
    { every: settled ? undefined : EVERY_MS },
  );
  const event = data?.webhookEvent;
  if (!settled && event !== undefined && event !== null && event.status !== 'pending') setSettled(true);
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (event === undefined || event === null) return <Skeleton lines={2} />;
  return <Answer event={event} />;
}

function Answer({ event }: { readonly event: TestEvent }): ReactNode {
  const attempt = event.deliveryAttempts.at(-1);
  const headers = Object.entries((attempt?.responseHeaders ?? {}) as Readonly<Record<string, unknown>>);
  return (
    <Card
      title="What came of it"
      actions={
        <Link to={`/events/${event.id}`} mono>
          event {event.id}
        </Link>
      }
    >
      <div className={styles['answer']} role="status">
        <StatusBadge status={event.status} />
        {event.status === 'pending' && 'It is on its way, or waits for its turn.'}
        {attempt !== undefined && (
          <span>
            {attempt.responseStatus === null ? 'No answer' : `HTTP ${attempt.responseStatus}`} after{' '}
            {duration(Number(attempt.durationMs))}
          </span>
        )}
      </div>
      {event.error !== null && (
        <Note kind="bad" title="Why it is not delivered">
          {event.error}
        </Note>
      )}
      {headers.length > 0 && (
        <CodeBlock
          label="the headers of the answer"
          code={headers.map(([name, value]) => `${name}: ${String(value)}`).join('\n')}
          wrap
        />
      )}
      {attempt !== undefined && attempt.responseData !== null && attempt.responseData !== '' && (
        <CodeBlock label="the body of the answer" code={attempt.responseData} wrap />
      )}
      {event.requestData !== null && (
        <>
          <h3>What was sent</h3>
          <CodeBlock label="the body of the delivery" code={event.requestData} wrap />
        </>
      )}
    </Card>
  );
}
