/** The steps of the last hour as lines of a chart and in a sentence. */
import type { LastHourQuery } from '@/api/generated/graphql';
import type { TimeSeries } from '@/design/TimeChart';
import { duration } from '@/design/time';
import { perSecond } from './figures';

export type Step = LastHourQuery['webhookStatsHistory'][number];

export interface Course {
  readonly times: readonly Date[];
  readonly deliveries: readonly TimeSeries[];
  readonly latency: readonly TimeSeries[];
  readonly deliveriesInWords: string;
  readonly latencyInWords: string;
}

/** A step that has just begun tells little: its rate is not drawn before so many seconds of it are over. */
const TELLING_SECONDS = 10;

/** `readAt`: when the steps were read, in milliseconds; the present step is as long as it has lasted by then. */
export function courseOf(steps: readonly Step[], readAt: number): Course {
  const lasted = ({ from, seconds }: Step): number =>
    Math.min(seconds, (readAt - new Date(from).getTime()) / 1_000);
  const told = steps.filter((step) => lasted(step) >= Math.min(TELLING_SECONDS, step.seconds));
  const rate = (count: (step: Step) => number | string): number[] =>
    told.map((step) => Number(count(step)) / lasted(step));
  const delivered = rate((step) => step.delivered);
  const failed = rate((step) => step.failedAttempts);
  const p50 = told.map(({ latencyMs }) => latencyMs?.p50 ?? null);
  const p99 = told.map(({ latencyMs }) => latencyMs?.p99 ?? null);
  const slowest = Math.max(...p99.map((value) => value ?? 0), 0);
  return {
    times: told.map(({ from }) => new Date(from)),
    deliveries: [
      { label: 'delivered', values: delivered, tone: 1, filled: true },
      { label: 'failed attempts', values: failed, tone: 2 },
    ],
    latency: [
      { label: 'p50', values: p50, tone: 1 },
      { label: 'p99', values: p99, tone: 3 },
    ],
    deliveriesInWords:
      `at most ${perSecond(Math.max(...delivered, 0))} delivered and ` +
      `${perSecond(Math.max(...failed, 0))} failed attempts a second`,
    latencyInWords: slowest === 0 ? 'nothing was delivered' : `p99 at most ${duration(slowest)}`,
  };
}
