/** What came of an attempt, in a word or two. */
export interface ToldAttempt {
  readonly responseStatus: number | null;
  readonly error: string | null;
}

/** How the reasons begin that rowhook gives where no answer came; of a new kind no more is said than that none came. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^DNS: /, 'DNS failed'],
  [/^refused by rowhook: /, 'address refused'],
  [/^could not connect /, 'no connection'],
  [/^the proxy could not connect /, 'no connection'],
  [/^TLS with /, 'TLS failed'],
  [/^no complete answer within /, 'timeout'],
  [/^the connection to /, 'connection broke'],
];

export function answerInAWord({ responseStatus, error }: ToldAttempt): string {
  if (responseStatus !== null) return `HTTP ${responseStatus}`;
  return KINDS.find(([begins]) => begins.test(error ?? ''))?.[1] ?? 'no answer';
}
