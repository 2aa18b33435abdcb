/** Why it gets nothing, or too little, and the way to what mends it. */
import type { ReactNode } from 'react';
import { useRole } from '@/api';
import { Button } from '@/design/Button';
import { ErrorNote } from '@/design/ErrorNote';
import { Link } from '@/design/Link';
import { Note } from '@/design/Note';
import { RelativeTime } from '@/design/RelativeTime';
import { diagnose, type Remedy } from './diagnosis';
import type { Receiver, ReceiverStats } from './parts';
import { useActivation } from './useActivation';
import styles from './receiver.module.css';

export interface DiagnosisNoteProps {
  readonly receiver: Receiver;
  readonly stats: ReceiverStats;
}

export function DiagnosisNote({ receiver, stats }: DiagnosisNoteProps): ReactNode {
  const { kind, title, text, remedies, nextProbeAt } = diagnose(receiver, stats);
  return (
    <Note kind={kind} title={title}>
      {text}
      {nextProbeAt !== undefined && nextProbeAt !== null && (
        <>
          {' '}
          The next goes <RelativeTime at={nextProbeAt} />.
        </>
      )}
      {remedies.length > 0 && (
        <div className={styles['remedies']}>
          {remedies.map((remedy) => (
            <RemedyControl key={remedy} remedy={remedy} receiver={receiver} />
          ))}
        </div>
      )}
    </Note>
  );
}

const WAYS: Readonly<Record<Exclude<Remedy, 'activate'>, readonly [tab: string, label: string]>> = {
  subscribe: ['subscriptions', 'See its subscriptions'],
  test: ['test', 'Send a test delivery'],
  throttle: ['throttle', 'Change its throttle'],
  attempts: ['', 'See its events'],
};

function RemedyControl({
  remedy,
  receiver,
}: {
  readonly remedy: Remedy;
  readonly receiver: Receiver;
}): ReactNode {
  if (remedy === 'activate') return <Activate receiver={receiver} />;
  const [tab, label] = WAYS[remedy];
  const to = remedy === 'attempts' ? `/events?receiver=${receiver.id}` : `/receivers/${receiver.id}/${tab}`;
  return <Link to={to}>{label}</Link>;
}

function Activate({ receiver }: { readonly receiver: Receiver }): ReactNode {
  const { set, busy, error } = useActivation(receiver);
  const { may } = useRole();
  if (!may('operator')) return null;
  return (
    <>
      <Button size="s" onPress={() => set(true)} busy={busy}>
        Activate it
      </Button>
      <ErrorNote error={error} />
    </>
  );
}
