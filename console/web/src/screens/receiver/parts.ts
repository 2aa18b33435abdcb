/** The receiver as its page has it. */
import type { EventPartsFragment, ReceiverPartsFragment, StatsPartsFragment } from '@/api/generated/graphql';

export type Receiver = ReceiverPartsFragment;
export type ReceiverStats = StatsPartsFragment;
export type ReceiverEvent = EventPartsFragment;

/** How the cache calls this receiver: what was changed of any receiver makes it stale. */
export const receiverKey = (id: number): readonly ['receivers', 'one', number] => ['receivers', 'one', id];
