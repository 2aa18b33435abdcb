/**
 * Asks the API over HTTP. A screen does not call this itself but `useAsk` and `useAct` (queries.ts).
 */
import type { TypedDocumentString } from '@/api/generated/graphql';
import { ApiError, apiErrorOf, networkError } from './errors';
import { parseJson } from './json';
import { refuseKey, storedKey } from './key';

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message?: unknown }[] | undefined;
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined;
  /** Another key than the one that is signed in with; a refusal then signs nobody out. */
  readonly key?: string | undefined;
}

export async function ask<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  { signal, key }: AskOptions = {},
): Promise<Result> {
  const used = key ?? storedKey();
  const response = await post(JSON.stringify({ query: document.toString(), variables }), used, signal);
  const text = await response.text().catch(() => '');
  const answer = answerOf(text);

  if (response.status === 401) {
    // Only the key that was refused is forgotten: a new one may have been stored meanwhile.
    if (key === undefined && used === storedKey()) refuseKey();
    throw answer?.errors
      ? apiErrorOf(answer.errors)
      : new ApiError('UNAUTHENTICATED', 'the API key was not accepted');
  }
  if (answer === null)
    throw networkError(`something else answered in its place, with HTTP ${response.status}`);
  if (answer.errors !== undefined && answer.errors.length > 0) throw apiErrorOf(answer.errors);
  return answer.data as Result;
}

async function post(body: string, key: string | null, signal: AbortSignal | undefined): Promise<Response> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/graphql-response+json, application/json',
    ...(key === null ? {} : { authorization: `Bearer ${headerValue(key)}` }),
  };
  try {
    return await fetch('/graphql', { method: 'POST', headers, body, signal: signal ?? null });
  } catch (thrown) {
    if (signal?.aborted === true) throw thrown;
    throw networkError(thrown instanceof Error ? thrown.message : 'the connection failed');
  }
}

/** A key that no header can carry is no key: fetch would call that a failure of the network. */
function headerValue(key: string): string {
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw new ApiError('UNAUTHENTICATED', 'the API key holds a character that no key has; copy it again');
  }
  return key;
}

function answerOf(text: string): Answer | null {
  try {
    const value = parseJson(text);
    return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value)
      ? (value as Answer)
      : null;
  } catch {
    return null;
  }
}
