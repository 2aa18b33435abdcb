/** What became of an event, in a word. */
import type { ReactNode } from 'react';
import { Badge, type Tone } from './Badge';

const TONE: Readonly<Record<string, Tone>> = {
  pending: 'info',
  delivered: 'good',
  failed: 'bad',
  cancelled: 'quiet',
};

export function StatusBadge({ status }: { readonly status: string }): ReactNode {
  return <Badge tone={TONE[status] ?? 'quiet'}>{status}</Badge>;
}
