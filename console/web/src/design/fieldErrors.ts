/** Which fields of a form an error is about. */
import type { ApiError } from '@/api/errors';

export interface FieldErrors {
  /** For `error` of a field: `of('rateLimit.perSecond')`; the leading `input.` of the API's path is implied. */
  readonly of: (path: string) => string | undefined;
  /** What no field named in `fields` tells. */
  readonly rest: (fields: readonly string[]) => string[];
}

export function fieldErrors(error: ApiError | null | undefined): FieldErrors {
  const refusals = (error?.refusals ?? []).map(({ path, message }) => ({
    path: path.replace(/^input\./, ''),
    message,
  }));
  const covers = (field: string, path: string): boolean => path === field || path.startsWith(`${field}.`);
  return {
    of: (field) => refusals.find(({ path }) => covers(field, path))?.message,
    rest: (fields) => {
      if (error === null || error === undefined) return [];
      if (refusals.length === 0) return [error.message];
      return refusals
        .filter(({ path }) => !fields.some((field) => covers(field, path)))
        .map(({ path, message }) => `${path} ${message}`);
    },
  };
}
