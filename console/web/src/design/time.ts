/** Times and lengths of time in words. */
const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

const words = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** "3 minutes ago", "in 2 hours", "just now". */
export function relativeTime(time: Date, now: Date): string {
  const seconds = Math.round((time.getTime() - now.getTime()) / 1000);
  const [unit, length] = UNITS.find(([, span]) => Math.abs(seconds) >= span) ?? ['second', 1];
  if (Math.abs(seconds) < 1) return 'just now';
  return words.format(Math.trunc(seconds / length), unit);
}

/** "2026-04-26 19:33:42.108 UTC". */
export function exactTime(time: Date): string {
  return time.toISOString().replace('T', ' ').replace('Z', ' UTC');
}

const two = (value: number): string => String(value).padStart(2, '0');

/** "2026-04-26 21:33:42", in the browser's time zone and the same in each language. */
export function localTime(time: Date): string {
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** The shortest of `localTime` that tells the ticks of an axis apart: "21:33", "21:33:30", at midnight "04-27". */
export function tickTime(time: Date): string {
  const whole = localTime(time);
  if (whole.endsWith(' 00:00:00')) return whole.slice(5, 10);
  return whole.endsWith(':00') ? whole.slice(11, 16) : whole.slice(11);
}

const trimmed = (value: number): string => String(Math.round(value * 10) / 10);

/** "340 ms", "2.5 s", "3 min 20 s", "31 h 5 min". */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${trimmed(milliseconds / 1_000)} s`;
  const seconds = Math.round(milliseconds / 1_000);
  if (seconds < 3_600) return pair(seconds, 60, 'min', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return pair(minutes, 60, 'h', 'min');
  return pair(Math.round(minutes / 60), 24, 'd', 'h');
}

function pair(amount: number, per: number, large: string, small: string): string {
  const rest = amount % per;
  return `${Math.floor(amount / per)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}
