/** Takes apart how the API tells a filter that it refuses: in words, and below them the line with a mark. */
export interface FilterFault {
  readonly message: string;
  /** The line of the filter, and below it a mark where the fault is; null where it is about the whole. */
  readonly excerpt: string | null;
}

export function filterFault(told: string | undefined): FilterFault | null {
  if (told === undefined) return null;
  const end = told.indexOf('\n');
  if (end === -1) return { message: told, excerpt: null };
  return { message: told.slice(0, end), excerpt: told.slice(end + 1) };
}
