/** Short filters to begin with, in the words of docs/FILTERS.md and with columns of the table at hand. */
import type { WebhookSubscriptionActions } from '@/api/generated/graphql';

export interface FilterExample {
  readonly meaning: string;
  readonly filter: string;
}

/** How CEL writes a column: a name that it can not write as a member stands in brackets. */
export function member(row: 'old' | 'new', column: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(column) ? `${row}.${column}` : `${row}[${JSON.stringify(column)}]`;
}

export function filterExamples(
  action: WebhookSubscriptionActions,
  columns: readonly string[],
  key: readonly string[],
): FilterExample[] {
  const others = columns.filter((column) => !key.includes(column));
  const column = others.find((name) => name === 'status') ?? others[0] ?? columns[0];
  if (column === undefined) return [];
  const row = action === 'DELETE' ? 'old' : 'new';
  const value = member(row, column);
  const examples = [
    { meaning: 'A column has a value', filter: `${value} == 'complete'` },
    { meaning: 'It is one of several', filter: `${value} in ['complete', 'cancelled']` },
    { meaning: 'A text begins so', filter: `${value} != null && ${value}.startsWith('A-')` },
  ];
  if (action !== 'UPDATE') {
    return [
      ...examples,
      { meaning: 'A number is above a limit', filter: `${value} != null && ${value} > 100` },
    ];
  }
  const before = member('old', column);
  return [
    ...examples,
    { meaning: 'It came to a value', filter: `${value} == 'complete' && ${before} != ${value}` },
    { meaning: 'A number crossed a limit', filter: `${before} <= 100 && ${value} > 100` },
  ];
}
