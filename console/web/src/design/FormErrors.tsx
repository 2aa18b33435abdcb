/** What was refused in a form besides what its fields (`fields`) say themselves with `fieldErrors(error).of(…)`. */
import type { ReactNode } from 'react';
import { ERROR_MEANING, type ApiError } from '@/api/errors';
import { fieldErrors } from './fieldErrors';
import { Note } from './Note';

export interface FormErrorsProps {
  readonly error: ApiError | null | undefined;
  readonly fields: readonly string[];
}

export function FormErrors({ error, fields }: FormErrorsProps): ReactNode {
  if (error === null || error === undefined) return null;
  const rest = fieldErrors(error).rest(fields);
  return (
    <Note kind="bad" title={ERROR_MEANING[error.code].title}>
      {rest.length === 0 ? (
        'The fields that were refused say what to mend.'
      ) : (
        <ul>
          {rest.map((message) => (
            <li key={message}>{message}</li>
          ))}
        </ul>
      )}
    </Note>
  );
}
