/** A program for each language that receives what goes to this receiver, and verifies it. */
import { useState, type ReactNode } from 'react';
import { CodeBlock } from '@/design/CodeBlock';
import { Tabs } from '@/design/Tabs';
import { samplesFor, type Sample, type SampleReceiver } from './samples';
import styles from './receivers.module.css';

export function VerifyCode({ receiver }: { readonly receiver: SampleReceiver }): ReactNode {
  const [chosen, setChosen] = useState<Sample['id']>('python');
  return (
    <Tabs
      label="Code to verify a delivery"
      items={samplesFor(receiver).map((sample) => ({
        id: sample.id,
        label: sample.label,
        content: () => <SampleCode sample={sample} />,
      }))}
      value={chosen}
      onChange={setChosen}
    />
  );
}

function SampleCode({ sample: { id, label, install, code } }: { readonly sample: Sample }): ReactNode {
  return (
    <div className={styles['panel']}>
      {id === 'ion' ? (
        <p className={styles['soft']}>
          For receivers that verify <code>x-ion-signature</code> already. It signs <code>data</code> alone, as
          Python 3.11 writes it, and a recorded delivery stays valid for ever: a new receiver does better with{' '}
          <code>webhook-signature</code>, as the other samples do.
        </p>
      ) : (
        <p className={styles['soft']}>
          By the public library of Standard Webhooks. It needs the secret in <code>WEBHOOK_SECRET</code>.
        </p>
      )}
      {install !== null && (
        <CodeBlock code={install} label={`the command that installs it for ${label}`} wrap />
      )}
      <CodeBlock code={code} label={`the code in ${label}`} />
    </div>
  );
}
