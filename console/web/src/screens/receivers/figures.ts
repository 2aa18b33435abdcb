/** The figures of a receiver in words. */

/** "1.4", "0", "< 0.1", "1200". */
export function perSecond(rate: number): string {
  if (rate === 0) return '0';
  if (rate < 0.1) return '< 0.1';
  return rate < 100 ? String(Math.round(rate * 10) / 10) : String(Math.round(rate));
}

export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

/** "5/s, burst 10"; below one a second by the minute: "3/min, burst 1". */
export function throttle(limit: RateLimit | null): string {
  if (limit === null) return 'none';
  const rate = limit.perSecond >= 1 ? `${plain(limit.perSecond)}/s` : `${plain(limit.perSecond * 60)}/min`;
  return `${rate}, burst ${limit.burst}`;
}

const plain = (value: number): string => String(Number(value.toPrecision(4)));

/** Counting ends at 10000 for one receiver, which then stands for more (see WebhookStats.pending). */
const COUNTED = 10_000;

export function pendingCount(pending: number | string): string {
  return Number(pending) >= COUNTED ? `${COUNTED} or more` : String(pending);
}
