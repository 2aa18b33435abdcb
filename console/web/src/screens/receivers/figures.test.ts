import { expect, it } from 'vitest';
import { pendingCount, perSecond, throttle } from './figures';

it('a rate that is small but not nothing is not told as nothing', () => {
  expect([0, 0.02, 1.37, 99.96, 1234.5].map(perSecond)).toEqual(['0', '< 0.1', '1.4', '100', '1235']);
});

it('a throttle is told in the unit that fits', () => {
  expect(throttle(null)).toBe('none');
  expect(throttle({ perSecond: 2.5, burst: 1 })).toBe('2.5/s, burst 1');
  expect(throttle({ perSecond: 0.05, burst: 3 })).toBe('3/min, burst 3');
});

it('a count that was cut says so', () => {
  expect(pendingCount(12)).toBe('12');
  expect(pendingCount(10000)).toBe('10000 or more');
});
