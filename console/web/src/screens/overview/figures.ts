/** The figures that were pushed, and how they read. */
import type { OverviewStatsSubscription } from '@/api/generated/graphql';
import { duration } from '@/design/time';

export type Figures = OverviewStatsSubscription['webhookStatsChanged'];

/** How many of them are kept: about a minute. */
export const KEPT = 60;

export function withNewest(history: readonly Figures[], newest: Figures): readonly Figures[] {
  return [...history, newest].slice(-KEPT);
}

/** "0", "0.04", "5.2", "1,250". */
export function perSecond(rate: number): string {
  if (rate >= 100) return Math.round(rate).toLocaleString('en-GB');
  if (rate >= 1 || rate === 0) return String(Math.round(rate * 10) / 10);
  return String(Number(rate.toPrecision(1)));
}

/** "100 %", "99.95 %"; never 100 % where something failed. */
export function share(rate: number): string {
  const percent = Math.floor(rate * 10_000) / 100;
  return `${percent} %`;
}

/** The API counts up to this many and says no more of what is beyond. */
const COUNTED = 100_000;

export function pendingCount(pending: number | string): string {
  const count = Number(pending);
  return count >= COUNTED ? '100,000 or more' : count.toLocaleString('en-GB');
}

export function seconds(value: number): string {
  return value === 0 ? '0 s' : duration(value * 1_000);
}

export type Tone = 'warn' | 'bad' | undefined;

/** A figure that is fine has no colour. */
export function toneAbove(value: number | null, warn: number, bad: number): Tone {
  if (value === null || value <= warn) return undefined;
  return value > bad ? 'bad' : 'warn';
}
