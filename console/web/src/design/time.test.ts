import { describe, expect, it } from 'vitest';
import { duration, exactTime, localTime, relativeTime, tickTime } from './time';

const now = new Date('2026-04-26T19:33:42.108Z');
const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);

describe('times in words', () => {
  it('are relative', () => {
    expect(relativeTime(now, now)).toBe('just now');
    expect(relativeTime(after(-59), now)).toBe('59 seconds ago');
    expect(relativeTime(after(-60), now)).toBe('1 minute ago');
    expect(relativeTime(after(-7_300), now)).toBe('2 hours ago');
    expect(relativeTime(after(172_800), now)).toBe('in 2 days');
  });

  it('are exact in UTC', () => {
    expect(exactTime(now)).toBe('2026-04-26 19:33:42.108 UTC');
  });

  it("are in the browser's time zone with 24 hours", () => {
    expect(localTime(new Date(2026, 3, 6, 19, 3, 2))).toBe('2026-04-06 19:03:02');
  });

  it('are short on an axis', () => {
    expect(tickTime(new Date(2026, 3, 6, 19, 3, 0))).toBe('19:03');
    expect(tickTime(new Date(2026, 3, 6, 19, 3, 30))).toBe('19:03:30');
    expect(tickTime(new Date(2026, 3, 6))).toBe('04-06');
  });

  it('are lengths', () => {
    expect(duration(340.4)).toBe('340 ms');
    expect(duration(2_540)).toBe('2.5 s');
    expect(duration(59_990)).toBe('1 min');
    expect(duration(200_000)).toBe('3 min 20 s');
    expect(duration(21_600_000)).toBe('6 h');
    expect(duration(5 * 86_400_000)).toBe('5 d');
  });
});
