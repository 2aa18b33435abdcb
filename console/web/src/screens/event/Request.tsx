/** What is sent: the change as a diff, the headers, the body, and what the signatures are of. */
import { useState, type ReactNode } from 'react';
import { Card } from '@/design/Card';
import { CodeBlock } from '@/design/CodeBlock';
import { DiffView } from '@/design/DiffView';
import { Tabs } from '@/design/Tabs';
import { readBody } from './body';
import type { EventDetail } from './documents';
import { HeaderList } from './HeaderList';
import styles from './EventScreen.module.css';

const CONTENT_TYPE: Readonly<Record<string, string>> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  cloudevents: 'application/cloudevents+json',
};

type Part = 'headers' | 'body' | 'exact' | 'signed';

export function Change({ event }: { readonly event: EventDetail }): ReactNode {
  const { requestData, action } = event;
  const body = requestData === null ? null : readBody(requestData);
  return (
    <Card title="Change">
      {body === null && <p className={styles['soft']}>The change is no longer kept.</p>}
      {body !== null && body.old === null && body.new === null && (
        <p className={styles['soft']}>The body has no old and no new values to compare.</p>
      )}
      {body !== null && (body.old !== null || body.new !== null) && (
        <>
          <p className={styles['soft']}>{WHAT_IS_SHOWN[action]}</p>
          <DiffView old={body.old} new={body.new} />
        </>
      )}
    </Card>
  );
}

const WHAT_IS_SHOWN = {
  CREATE: 'The row came to be: its values.',
  UPDATE: 'The columns whose value changed.',
  DELETE: 'The row went: its last values.',
} as const;

export function Request({ event }: { readonly event: EventDetail }): ReactNode {
  const [part, setPart] = useState<Part>('body');
  const { requestData } = event;
  const pretty = requestData === null ? null : readBody(requestData).pretty;
  const gone = <p className={styles['soft']}>The body is no longer kept.</p>;
  return (
    <Card title="Request">
      <Tabs<Part>
        label="Parts of the request"
        value={part}
        onChange={setPart}
        items={[
          {
            id: 'body',
            label: 'Body',
            content: () =>
              requestData === null ? gone : <CodeBlock code={pretty ?? requestData} label="body, indented" />,
          },
          {
            id: 'exact',
            label: 'Exactly as sent',
            content: () =>
              requestData === null ? gone : <CodeBlock code={requestData} label="body as sent" wrap />,
          },
          { id: 'headers', label: 'Headers', content: () => <SentHeaders event={event} /> },
          { id: 'signed', label: 'What is signed', content: () => <Signed event={event} /> },
        ]}
      />
    </Card>
  );
}

function SentHeaders({ event }: { readonly event: EventDetail }): ReactNode {
  const { receiver, id, sequence, test } = event;
  if (receiver === null) return <p className={styles['soft']}>The receiver&#39;s record is gone.</p>;
  const headers: (readonly [string, string])[] = [
    ['content-type', CONTENT_TYPE[receiver.contentType] ?? receiver.contentType],
    ['webhook-id', String(id)],
    ...(sequence === null ? [] : [['x-rowhook-sequence', String(sequence)] as const]),
    ...(test ? [['x-rowhook-test', 'true'] as const] : []),
    ...receiver.headers.map(({ key, value }) => [key, value] as const),
  ];
  return (
    <div className={styles['words']}>
      <p className={styles['soft']}>
        By the receiver&#39;s present settings. Each attempt also has user-agent, webhook-timestamp,
        webhook-signature and x-ion-signature of its own.
      </p>
      <HeaderList headers={headers} />
    </div>
  );
}

function Signed({ event }: { readonly event: EventDetail }): ReactNode {
  const uri = event.receiver?.webhookUri ?? 'URI';
  return (
    <div className={styles['words']}>
      <p>
        <code>webhook-signature</code> is of this text, with the value of the header{' '}
        <code>webhook-timestamp</code> in it:
      </p>
      <CodeBlock code={`${event.id}.TIMESTAMP.BODY`} label="text of webhook-signature" wrap />
      <p>
        <code>x-ion-signature</code> is of the receiver&#39;s URI, letter by letter, a question mark, and each
        member of <code>data</code> that is not null as <code>key:value</code>, sorted by key and joined with
        &amp;. This prints that text and says whether a signature fits:
      </p>
      <CodeBlock
        code={`rowhook verify --secret SECRET --uri '${uri}' --signature SIGNATURE < body.json`}
        label="command that verifies"
        wrap
      />
    </div>
  );
}
