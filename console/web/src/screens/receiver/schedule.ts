/**
 * The retry schedule that a policy makes: the first pause is `initialDelayMs`, each further one `multiplier` times the
 * one before, none more than `maxDelayMs`; then each is spread by a fifth to either side.
 */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly initialDelayMs: number;
  readonly multiplier: number;
  readonly maxDelayMs: number;
}

export const DEFAULT_POLICY: RetryPolicy = {
  maxAttempts: 12,
  initialDelayMs: 5_000,
  multiplier: 4,
  maxDelayMs: 21_600_000,
};

export const SPREAD = 0.2;

export interface PlannedAttempt {
  /** From 1. */
  readonly number: number;
  /** After the attempt before, without the spread. */
  readonly pauseMs: number;
  /** After the first attempt, without the spread. */
  readonly afterMs: number;
}

/** All attempts of an event that the receiver never takes; the first one is at 0. */
export function scheduleOf(policy: RetryPolicy): PlannedAttempt[] {
  const planned: PlannedAttempt[] = [{ number: 1, pauseMs: 0, afterMs: 0 }];
  let afterMs = 0;
  for (let number = 2; number <= policy.maxAttempts; number += 1) {
    const pauseMs = Math.min(policy.initialDelayMs * policy.multiplier ** (number - 2), policy.maxDelayMs);
    afterMs += pauseMs;
    planned.push({ number, pauseMs, afterMs });
  }
  return planned;
}

/** How long it takes from the first attempt to the last, at the least and at the most. */
export function spanOf(planned: readonly PlannedAttempt[]): {
  readonly least: number;
  readonly most: number;
} {
  const plain = planned.at(-1)?.afterMs ?? 0;
  return { least: plain * (1 - SPREAD), most: plain * (1 + SPREAD) };
}
