import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY, scheduleOf, spanOf } from './schedule';

const pausesOf = (policy: Partial<typeof DEFAULT_POLICY>): number[] =>
  scheduleOf({ ...DEFAULT_POLICY, ...policy })
    .slice(1)
    .map(({ pauseMs }) => pauseMs / 1000);

describe('the retry schedule', () => {
  it('of the default policy is that of the API: a bit over 31 hours in all', () => {
    expect(pausesOf({})).toEqual([5, 20, 80, 320, 1280, 5120, 20480, 21600, 21600, 21600, 21600]);
    const hours = (scheduleOf(DEFAULT_POLICY).at(-1)?.afterMs ?? 0) / 3_600_000;
    expect(hours).toBeGreaterThan(31);
    expect(hours).toBeLessThan(32);
  });

  it('grows by the multiplier until the cap, and with 1 not at all', () => {
    expect(pausesOf({ maxAttempts: 5, initialDelayMs: 1000, multiplier: 1.5, maxDelayMs: 3000 })).toEqual([
      1, 1.5, 2.25, 3,
    ]);
    expect(pausesOf({ maxAttempts: 4, initialDelayMs: 2000, multiplier: 1 })).toEqual([2, 2, 2]);
  });

  it('caps the first pause too', () => {
    expect(pausesOf({ maxAttempts: 3, initialDelayMs: 9000, maxDelayMs: 4000 })).toEqual([4, 4]);
  });

  it('of one attempt has no pause', () => {
    expect(scheduleOf({ ...DEFAULT_POLICY, maxAttempts: 1 })).toEqual([
      { number: 1, pauseMs: 0, afterMs: 0 },
    ]);
  });

  it('does not lose itself in numbers that overflow', () => {
    const planned = scheduleOf({
      ...DEFAULT_POLICY,
      maxAttempts: 100,
      multiplier: 100,
      initialDelayMs: 604_800_000,
    });
    expect(planned).toHaveLength(100);
    expect(planned.slice(1).every(({ pauseMs }) => pauseMs === DEFAULT_POLICY.maxDelayMs)).toBe(true);
  });

  it('is spread by a fifth to either side', () => {
    const { least, most } = spanOf(scheduleOf({ ...DEFAULT_POLICY, maxAttempts: 2 }));
    expect([least, most]).toEqual([4000, 6000]);
  });
});
