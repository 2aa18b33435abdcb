import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnosis';
import type { Receiver, ReceiverStats } from './parts';

const subscription = {
  id: 1,
  resource: 'RUN',
  action: 'CREATE',
  active: true,
  changedFields: null,
  filter: null,
} as const;
const stats: ReceiverStats = {
  pending: 0,
  oldestPendingSeconds: null,
  deliveredPerSecond: 1,
  failedPerSecond: 0,
  successRate: 1,
  latencyMs: null,
};
const details = {
  reason: null,
  since: null,
  failures: 0,
  failingSince: null,
  lastError: null,
  nextProbeAt: null,
};
const receiver: Parameters<typeof diagnose>[0] = {
  active: true,
  inactiveReason: null,
  health: 'HEALTHY',
  healthDetails: details,
  rateLimit: null,
  subscriptions: [subscription],
} satisfies Partial<Receiver>;

describe('the diagnosis', () => {
  it('of a receiver that takes all', () => {
    expect(diagnose(receiver, stats)).toMatchObject({ kind: 'good', title: 'All is well' });
    expect(diagnose(receiver, { ...stats, failedPerSecond: 0.1 }).title).toBe(
      'Attempts failed in the last minute',
    );
  });

  it('tells why rowhook made it inactive, and what waits', () => {
    const { title, text, remedies } = diagnose(
      { ...receiver, active: false, health: 'INACTIVE', inactiveReason: 'it answered 410 Gone' },
      { ...stats, pending: 7 },
    );
    expect(title).toBe('It gets nothing: rowhook made it inactive');
    expect(text).toContain('It answered 410 Gone. 7 events wait for it.');
    expect(remedies).toContain('activate');
  });

  it('tells apart a receiver that a person made inactive', () => {
    expect(diagnose({ ...receiver, active: false, health: 'INACTIVE' }, stats).text).toContain(
      'A person made it inactive',
    );
  });

  it('asks for a subscription, or for an active one', () => {
    expect(diagnose({ ...receiver, subscriptions: [] }, stats).title).toContain('subscribed to nothing');
    expect(
      diagnose({ ...receiver, subscriptions: [{ ...subscription, active: false }] }, stats).title,
    ).toContain('none of its subscriptions is active');
  });

  it('tells the last error and the next probe', () => {
    const healthDetails = {
      ...details,
      failures: 12,
      lastError: 'the answer was 500',
      nextProbeAt: '2026-01-01T00:00:00Z',
    };
    const probing = diagnose({ ...receiver, health: 'PROBING', healthDetails }, stats);
    expect(probing.title).toContain('12 attempts failed');
    expect(probing.text).toMatch(/^The answer was 500\. /);
    expect(probing.nextProbeAt).toBe('2026-01-01T00:00:00Z');
    expect(
      diagnose({ ...receiver, health: 'FAILING', healthDetails: { ...healthDetails, failures: 1 } }, stats)
        .title,
    ).toBe('Its last attempt failed');
  });

  it('blames the throttle only where all of it is used', () => {
    const behind = { ...stats, pending: 50, oldestPendingSeconds: 20 };
    expect(diagnose({ ...receiver, rateLimit: { perSecond: 1, burst: 1 } }, behind).title).toBe(
      'Its throttle holds it up',
    );
    expect(
      diagnose(
        { ...receiver, rateLimit: { perSecond: 0.001, burst: 1 } },
        { ...behind, deliveredPerSecond: 0 },
      ).title,
    ).toBe('Its throttle holds it up');
    expect(diagnose({ ...receiver, rateLimit: { perSecond: 100, burst: 1 } }, behind).title).toBe(
      'Events wait for it',
    );
    expect(diagnose(receiver, { ...behind, oldestPendingSeconds: 1 }).title).toBe('All is well');
  });
});
