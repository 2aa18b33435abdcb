/**
 * The last failures: events that were given up, and the pending ones whose last attempt failed, the newest first.
 * Of the pending ones those that wait the longest are asked for: of a long queue only they have been tried.
 */
import type { ReceiverEvent } from './parts';

const SHOWN = 5;

export function failuresOf(
  failed: readonly ReceiverEvent[],
  waiting: readonly ReceiverEvent[],
): readonly ReceiverEvent[] {
  return [...failed, ...waiting.filter(({ error }) => error !== null)]
    .sort((one, other) => Number(BigInt(other.id) - BigInt(one.id)))
    .slice(0, SHOWN);
}
