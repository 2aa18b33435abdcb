/** Whether what is live on this page is live. */
import type { ReactNode } from 'react';
import { useConnection } from '@/api/useLive';
import type { Connection } from '@/api/live';
import { Badge, type Tone } from '@/design/Badge';

const LOOK: Readonly<Record<Exclude<Connection, 'idle'>, readonly [Tone, string]>> = {
  connecting: ['info', 'connecting'],
  live: ['good', 'live'],
  broken: ['bad', 'connection lost, trying again'],
};

export function ConnectionState(): ReactNode {
  const connection = useConnection();
  // Screens that listen to nothing ask by themselves, or when they are told to: nothing is to be said of them.
  if (connection === 'idle') return null;
  const [tone, words] = LOOK[connection];
  return (
    <span role="status" aria-label={`Live data: ${words}`}>
      <Badge tone={tone}>{words}</Badge>
    </span>
  );
}
