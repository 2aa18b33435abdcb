/** Old and new columns of a change, line by line. */
export interface DiffLine {
  readonly column: string;
  /** As JSON; undefined where that side has no such column. */
  readonly old: string | undefined;
  readonly new: string | undefined;
  readonly changed: boolean;
}

type Row = Readonly<Record<string, unknown>> | null;

export function diffOf(old: Row, next: Row): DiffLine[] {
  const columns = new Set([...Object.keys(next ?? {}), ...Object.keys(old ?? {})]);
  return [...columns].map((column) => {
    const before = written(old, column);
    const after = written(next, column);
    return { column, old: before, new: after, changed: before !== after };
  });
}

function written(row: Row, column: string): string | undefined {
  return row !== null && Object.hasOwn(row, column) ? JSON.stringify(row[column], null, 2) : undefined;
}
