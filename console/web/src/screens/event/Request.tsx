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
  const { requestHeaders } = event;
  if (requestHeaders === null) {
    return (
      <p className={styles['soft']}>
        {event.receiver === null
          ? "The receiver's record is gone."
          : 'The change is no longer kept: it can not be sent again.'}
      </p>
    );
  }
  return (
    <div className={styles['words']}>
      <p className={styles['soft']}>
        What an attempt would have now, by the receiver&#39;s present settings; those of past attempts are not
        kept.
      </p>
      <HeaderList
        headers={requestHeaders.map(({ name, value }) => [
          name,
          value ?? <em className={styles['anew']}>made anew for each attempt</em>,
        ])}
      />
    </div>
  );
}

function Signed({ event }: { readonly event: EventDetail }): ReactNode {
  const { id, requestData, requestHeaders, signedText, receiver } = event;
  return (
    <div className={styles['words']}>
      <h3 className={styles['signature']}>x-ion-signature</h3>
      {signedText === null ? (
        <p className={styles['soft']}>{whyUnsigned(event)}</p>
      ) : (
        <>
          <p>
            It signs this text, with the receiver&#39;s URI as it is now. If a signature does not verify,
            compare it with the text that your program makes, letter by letter:
          </p>
          <CodeBlock code={signedText} label="text that x-ion-signature signs" wrap />
        </>
      )}
      <h3 className={styles['signature']}>webhook-signature</h3>
      {requestData === null || requestHeaders === null || receiver === null ? (
        <p className={styles['soft']}>The event can not be sent any more.</p>
      ) : (
        <>
          <p>
            It signs this text, with the value of the header <code>webhook-timestamp</code> in place of
            TIMESTAMP, which is another one for each attempt:
          </p>
          <CodeBlock code={`${id}.TIMESTAMP.${requestData}`} label="text that webhook-signature signs" wrap />
        </>
      )}
      <p className={styles['soft']}>
        <code>rowhook verify</code> says of a body and a signature whether they fit.
      </p>
    </div>
  );
}

function whyUnsigned({ requestData, receiver }: EventDetail): string {
  if (receiver === null) return "The receiver's record is gone.";
  if (requestData === null) return 'The change is no longer kept.';
  return 'It is not sent with this event: Python could not read its data. webhook-signature alone signs it.';
}
