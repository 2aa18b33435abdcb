import { describe, expect, it } from 'vitest';
import { courseOf, type Step } from './course';

const step = (from: string, delivered: number): Step => ({
  from,
  seconds: 60,
  delivered,
  failedAttempts: 0,
  latencyMs: delivered === 0 ? null : { p50: 20, p99: 90 },
});

describe('the course of the last hour', () => {
  const steps = [step('2026-04-26T10:00:00.000Z', 120), step('2026-04-26T10:01:00.000Z', 60)];

  it('counts the present step for as long as it has lasted', () => {
    const { deliveries, deliveriesInWords } = courseOf(steps, Date.parse('2026-04-26T10:01:20.000Z'));
    expect(deliveries[0]?.values).toEqual([2, 3]);
    expect(deliveriesInWords).toBe('at most 3 delivered and 0 failed attempts a second');
  });

  it('leaves out a present step that has just begun', () => {
    expect(courseOf(steps, Date.parse('2026-04-26T10:01:02.000Z')).times.length).toBe(1);
  });

  it('has no latency where nothing was delivered', () => {
    const { latency, latencyInWords } = courseOf([step('2026-04-26T10:00:00.000Z', 0)], Date.now());
    expect(latency[0]?.values).toEqual([null]);
    expect(latencyInWords).toBe('nothing was delivered');
  });
});
