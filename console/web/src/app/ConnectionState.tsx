/** Whether what is live on this page is live. */
import type { ReactNode } from 'react';
import { useConnection } from '@/api/useLive';
import type { Connection } from '@/api/live';
import { Badge, type Tone } from '@/design/Badge';

const LOOK: Readonly<Record<Connection, readonly [Tone, string]>> = {
  idle: ['quiet', 'not live'],
  connecting: ['info', 'connecting'],
  live: ['good', 'live'],
  broken: ['bad', 'connection lost, trying again'],
};

export function ConnectionState(): ReactNode {
  const [tone, words] = LOOK[useConnection()];
  return (
    <span role="status" aria-label={`Live data: ${words}`}>
      <Badge tone={tone}>{words}</Badge>
    </span>
  );
}
