import { describe, expect, it } from 'vitest';
import { KEPT, pendingCount, perSecond, share, toneAbove, withNewest, type Figures } from './figures';

const figures = (deliveredPerSecond: number): Figures => ({
  pending: 0,
  oldestPendingSeconds: null,
  deliveredPerSecond,
  failedPerSecond: 0,
  successRate: null,
  latencyMs: null,
  captureLagSeconds: 0,
});

describe('the figures', () => {
  it('are kept for a while, the newest last', () => {
    let history: readonly Figures[] = [];
    for (let at = 0; at < KEPT + 5; at += 1) history = withNewest(history, figures(at));
    expect(history.length).toBe(KEPT);
    expect(history.at(-1)?.deliveredPerSecond).toBe(KEPT + 4);
  });

  it('read as people write them', () => {
    expect([0, 0.0166, 5.23, 1250.4].map(perSecond)).toEqual(['0', '0.02', '5.2', '1,250']);
    expect(pendingCount(12)).toBe('12');
    expect(pendingCount('100000')).toBe('100,000 or more');
  });

  it('are never rounded up to all', () => {
    expect(share(1)).toBe('100 %');
    expect(share(0.99999)).toBe('99.99 %');
    expect(share(0.5)).toBe('50 %');
  });

  it('are marked beyond their limits only', () => {
    expect(toneAbove(null, 1, 2)).toBeUndefined();
    expect(toneAbove(1, 1, 2)).toBeUndefined();
    expect(toneAbove(2, 1, 2)).toBe('warn');
    expect(toneAbove(3, 1, 2)).toBe('bad');
  });
});
