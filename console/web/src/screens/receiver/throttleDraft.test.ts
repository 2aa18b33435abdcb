import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from './schedule';
import { changesOf, defaultBurst, draftOf, policyOf } from './throttleDraft';

const draft = draftOf({
  rateLimit: { perSecond: 2, burst: 1 },
  maxInFlight: 16,
  timeoutMs: 5000,
  ordering: 'PER_ROW',
  retryPolicy: { ...DEFAULT_POLICY, maxAttempts: 3 },
});

describe('the draft of throttle and retry', () => {
  it('shows what equals the default as empty', () => {
    expect(draft.policy).toEqual({
      maxAttempts: 3,
      initialDelayMs: null,
      multiplier: null,
      maxDelayMs: null,
    });
    expect(policyOf(draft)).toEqual({ ...DEFAULT_POLICY, maxAttempts: 3 });
  });

  it('sends nothing where nothing was changed', () => {
    expect(changesOf(draft, { ...draft })).toBeNull();
  });

  it('sends what was changed alone, and null for what was emptied', () => {
    expect(
      changesOf(draft, {
        ...draft,
        timeoutMs: null,
        policy: { ...draft.policy, maxAttempts: null, multiplier: 2 },
      }),
    ).toEqual({ timeoutMs: null, retryPolicy: { maxAttempts: null, multiplier: 2 } });
  });

  it('takes the throttle away where it has no rate, whatever the burst', () => {
    expect(changesOf(draft, { ...draft, perSecond: null })).toEqual({ rateLimit: null });
    expect(changesOf(draft, { ...draft, burst: null })).toEqual({ rateLimit: { perSecond: 2, burst: null } });
  });
});

it('a throttle that names no burst gets a tenth of a second’s worth', () => {
  expect([0.5, 10, 25].map(defaultBurst)).toEqual([1, 1, 3]);
});
