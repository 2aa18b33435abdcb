/** A failed action, told where it was started. Nothing without an error. */
import type { ReactNode } from 'react';
import { ERROR_MEANING, type ApiError } from '@/api/errors';
import { Note } from './Note';

export function ErrorNote({ error }: { readonly error: ApiError | null | undefined }): ReactNode {
  if (error === null || error === undefined) return null;
  return (
    <Note kind="bad" title={ERROR_MEANING[error.code].title}>
      {error.message}
    </Note>
  );
}
