/** How a receiver does, in a word. */
import type { ReactNode } from 'react';
import { Badge, type Tone } from './Badge';

/** `WebhookReceiverHealth` of the API. */
type Health = 'HEALTHY' | 'FAILING' | 'PROBING' | 'INACTIVE';

const LOOK: Readonly<Record<Health, readonly [Tone, string]>> = {
  HEALTHY: ['good', 'healthy'],
  FAILING: ['warn', 'failing'],
  PROBING: ['bad', 'probing'],
  INACTIVE: ['quiet', 'inactive'],
};

export function HealthBadge({ health }: { readonly health: Health }): ReactNode {
  const [tone, word] = LOOK[health];
  return <Badge tone={tone}>{word}</Badge>;
}
