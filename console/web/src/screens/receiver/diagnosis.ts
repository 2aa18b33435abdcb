/**
 * What is with a receiver, in one sentence, and what to do about it: first what stops it altogether, then what holds
 * it up.
 */
import { pendingCount, throttle } from '../receivers/figures';
import type { Receiver, ReceiverStats } from './parts';

export type Remedy = 'activate' | 'subscribe' | 'test' | 'throttle' | 'attempts';

export interface Diagnosis {
  readonly kind: 'good' | 'info' | 'warn' | 'bad';
  readonly title: string;
  readonly text: string;
  readonly remedies: readonly Remedy[];
  /** Its next probe: told with the time that is left. */
  readonly nextProbeAt?: string | null;
}

type Examined = Pick<
  Receiver,
  'active' | 'inactiveReason' | 'health' | 'healthDetails' | 'rateLimit' | 'subscriptions'
>;

/** Below this nobody waits: a request is under way, or its turn comes at once. */
const WAITING_SECONDS = 3;

export function diagnose(receiver: Examined, stats: ReceiverStats): Diagnosis {
  return stopped(receiver, stats) ?? failing(receiver) ?? waiting(receiver, stats) ?? well(stats);
}

function waits(stats: ReceiverStats): string {
  if (Number(stats.pending) === 0) return 'Nothing waits for it.';
  return Number(stats.pending) === 1
    ? '1 event waits for it.'
    : `${pendingCount(stats.pending)} events wait for it.`;
}

function stopped(
  { active, inactiveReason, subscriptions }: Examined,
  stats: ReceiverStats,
): Diagnosis | null {
  if (!active && inactiveReason !== null) {
    return {
      kind: 'bad',
      title: 'It gets nothing: rowhook made it inactive',
      text: `${sentence(inactiveReason)} ${waits(stats)} Mend the receiver, then activate it: what waits is sent then.`,
      remedies: ['activate', 'attempts'],
    };
  }
  if (!active) {
    return {
      kind: 'warn',
      title: 'It gets nothing: it is inactive',
      text: `A person made it inactive, so no new events are made for it. ${waits(stats)} Activate it to go on.`,
      remedies: ['activate'],
    };
  }
  if (subscriptions.length === 0) {
    return {
      kind: 'warn',
      title: 'It gets nothing: it is subscribed to nothing',
      text: 'No change becomes an event for it. Add a subscription; a test delivery goes without one.',
      remedies: ['subscribe', 'test'],
    };
  }
  if (subscriptions.every((subscription) => !subscription.active)) {
    return {
      kind: 'warn',
      title: 'It gets nothing new: none of its subscriptions is active',
      text: `No change becomes an event for it. ${waits(stats)} Activate one of its subscriptions.`,
      remedies: ['subscribe'],
    };
  }
  return null;
}

function failing({ health, healthDetails }: Examined): Diagnosis | null {
  const { failures, lastError, nextProbeAt } = healthDetails;
  const why = lastError === null ? '' : `${sentence(lastError)} `;
  if (health === 'PROBING') {
    return {
      kind: 'bad',
      title: `It takes nothing: its last ${failures} attempts failed`,
      text: `${why}It gets one request at a time until one delivers; its events wait and use up no attempts. A test delivery lets one go at once.`,
      remedies: ['test', 'attempts'],
      nextProbeAt,
    };
  }
  if (health === 'FAILING') {
    return {
      kind: 'warn',
      title: failures === 1 ? 'Its last attempt failed' : `Its last ${failures} attempts failed`,
      text: `${why}Each event is tried again by the retry policy.`,
      remedies: ['attempts', 'test'],
    };
  }
  return null;
}

function waiting({ rateLimit }: Examined, stats: ReceiverStats): Diagnosis | null {
  if (Number(stats.pending) === 0 || (stats.oldestPendingSeconds ?? 0) < WAITING_SECONDS) return null;
  const oldest = `The oldest has waited ${Math.round(stats.oldestPendingSeconds ?? 0)} s.`;
  if (rateLimit !== null && usesAllOf(rateLimit.perSecond, stats)) {
    return {
      kind: 'warn',
      title: 'Its throttle holds it up',
      text: `More events come than the throttle (${throttle(rateLimit)}) lets go. ${waits(stats)} ${oldest} Raise the throttle if the receiver can take more.`,
      remedies: ['throttle'],
    };
  }
  return {
    kind: 'info',
    title: 'Events wait for it',
    text: `${waits(stats)} ${oldest} Either they wait for their next attempt, or they come faster than the receiver answers.`,
    remedies: ['attempts', 'throttle'],
  };
}

/** The rates are of the last minute: of a throttle that lets less than one a minute go, they say nothing. */
function usesAllOf(perSecond: number, stats: ReceiverStats): boolean {
  return perSecond < 1 / 30 || stats.deliveredPerSecond + stats.failedPerSecond >= 0.7 * perSecond;
}

/** Of a healthy one the last delivery arrived; a test delivery that fails is not held against it. */
function well(stats: ReceiverStats): Diagnosis {
  if (stats.failedPerSecond > 0) {
    return {
      kind: 'info',
      title: 'Attempts failed in the last minute',
      text: 'It is healthy all the same: either it has taken a delivery since, or it was a test delivery that failed. What failed stands below.',
      remedies: ['test'],
    };
  }
  const text =
    stats.deliveredPerSecond > 0
      ? 'It takes what it is sent.'
      : 'Nothing was sent in the last minute: no change that it is subscribed to was committed.';
  return { kind: 'good', title: 'All is well', text, remedies: [] };
}

/** With a full stop, since another sentence follows. */
function sentence(text: string): string {
  const trimmed = text.trim();
  const begun = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
