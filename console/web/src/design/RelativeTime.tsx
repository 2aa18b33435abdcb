/** How long ago, kept true while it is shown; the exact time in UTC on hover. */
import { useSyncExternalStore, type ReactNode } from 'react';
import { exactTime, relativeTime } from './time';

const TICK_MS = 1_000;

// One clock for all times of the page.
let now = new Date();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function onTick(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = new Date();
    for (const told of listeners) told();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time by that clock: moves on each second. */
export function useNow(): Date {
  return useSyncExternalStore(onTick, () => now);
}

export function RelativeTime({
  at,
  never = 'never',
}: {
  readonly at: string | null;
  readonly never?: string;
}): ReactNode {
  const current = useNow();
  if (at === null) return never;
  const time = new Date(at);
  // The page's clock may be behind a time that has just come; nothing of the past is told as to come.
  const later = time.getTime() - current.getTime();
  return (
    <time dateTime={at} title={exactTime(time)}>
      {relativeTime(time, later > 0 && later < 2 * TICK_MS ? time : current)}
    </time>
  );
}
