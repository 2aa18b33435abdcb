/**
 * What can go wrong between the console and the API, as types, and what each means to the person who reads it.
 * The API says what happened in `message`; the code says what to do next.
 */

export const ERROR_CODES = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'VALIDATION',
  'LIMIT',
  'INTERNAL',
  'NETWORK',
] as const;

/** `extensions.code` of the API, and NETWORK where no answer came. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** A part of the input that was refused. */
export interface Refusal {
  /** Where it is, as in `input.rateLimit.perSecond`. */
  readonly path: string;
  readonly message: string;
}

export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly refusals: readonly Refusal[];

  constructor(code: ErrorCode, message: string, refusals: readonly Refusal[] = []) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.refusals = refusals;
  }
}

interface WireError {
  readonly message?: unknown;
  readonly extensions?: { readonly code?: unknown; readonly path?: unknown } | undefined;
}

function codeOf(error: WireError): ErrorCode {
  const code = error.extensions?.code;
  // A document that the schema does not know has no code: the console and the server do not fit together.
  return ERROR_CODES.find((known) => known === code) ?? 'INTERNAL';
}

function pathOf(error: WireError): string | undefined {
  const path = error.extensions?.path;
  if (typeof path === 'string') return path;
  return Array.isArray(path) ? path.map(String).join('.') : undefined;
}

function messageOf(error: WireError): string {
  return typeof error.message === 'string'
    ? error.message
    : 'the API answered with an error that it did not name';
}

/** The errors of one answer as one: the first names what happened, all refused fields are told. */
export function apiErrorOf(errors: readonly WireError[]): ApiError {
  const first = errors[0] ?? {};
  const refusals = errors.flatMap((error) => {
    const path = pathOf(error);
    return path === undefined ? [] : [{ path, message: withoutPath(messageOf(error), path) }];
  });
  return new ApiError(codeOf(first), messageOf(first), refusals);
}

/** "input.name must not be empty" beside the field "name" reads better as "must not be empty". */
function withoutPath(message: string, path: string): string {
  const spelled = path.replaceAll(/\.(\d+)(?=\.|$)/g, '[$1]');
  return message.startsWith(`${spelled} `) ? message.slice(spelled.length + 1) : message;
}

export function networkError(detail: string): ApiError {
  return new ApiError('NETWORK', `rowhook did not answer: ${detail}`);
}

/** Whatever was thrown, as an ApiError. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return new ApiError('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown));
}

/** What a code means, as a heading, and what to do now. */
export const ERROR_MEANING: Readonly<Record<ErrorCode, { readonly title: string; readonly mend: string }>> = {
  UNAUTHENTICATED: {
    title: 'The API key was not accepted',
    mend: 'Sign in with a key that is in force; `rowhook keys list` shows them.',
  },
  FORBIDDEN: { title: 'Your key may not do this', mend: 'Ask for a key whose role allows it.' },
  NOT_FOUND: { title: 'There is no such thing', mend: 'It may have been removed. Go back to the list.' },
  CONFLICT: {
    title: 'This does not fit what is stored',
    mend: 'Reload to see what is there now, then try again.',
  },
  VALIDATION: { title: 'Some input was refused', mend: 'Mend what is named and try again.' },
  LIMIT: {
    title: 'This asks for too much at once',
    mend: 'Ask for less: a narrower filter or a shorter page.',
  },
  INTERNAL: { title: 'Something went wrong inside rowhook', mend: 'Try again; its log has the details.' },
  NETWORK: {
    title: 'rowhook can not be reached',
    mend: 'Check that it runs and that this machine reaches it, then try again.',
  },
};
