/** What is typed into the form of a replay, as the input of `replayWebhookChanges`. */
import type { ReplayWebhookChangesInput } from '@/api/generated/graphql';

export interface ReplayFields {
  readonly subscription: string | null;
  /** Local times, as a datetime-local field has them. */
  readonly from: string;
  readonly to: string;
  readonly fromSequence: string;
  readonly toSequence: string;
  readonly rowId: string;
}

export const NOTHING: ReplayFields = {
  subscription: null,
  from: '',
  to: '',
  fromSequence: '',
  toSequence: '',
  rowId: '',
};

export type Problems = Partial<Record<keyof ReplayFields | 'all', string>>;

export function problemsOf(fields: ReplayFields): Problems {
  const problems: Problems = {};
  for (const field of ['fromSequence', 'toSequence'] as const) {
    if (fields[field] !== '' && !/^[1-9]\d*$/.test(fields[field].trim())) {
      problems[field] = 'must be a whole number from 1';
    }
  }
  for (const field of ['from', 'to'] as const) {
    if (fields[field] !== '' && Number.isNaN(new Date(fields[field]).getTime())) {
      problems[field] = 'must be a date and a time';
    }
  }
  const { from, to, fromSequence, toSequence, rowId } = fields;
  if ([from, to, fromSequence, toSequence, rowId].every((value) => value.trim() === '')) {
    problems.all = 'Say which changes: from when, from which sequence number, or of which row.';
  }
  return problems;
}

/** Undefined where no subscription is chosen yet. */
export function replayInput(fields: ReplayFields, dryRun: boolean): ReplayWebhookChangesInput | undefined {
  if (fields.subscription === null) return undefined;
  const moment = (text: string): string => new Date(text).toISOString();
  return {
    subscriptionId: Number(fields.subscription),
    dryRun,
    ...(fields.from === '' ? {} : { from: moment(fields.from) }),
    ...(fields.to === '' ? {} : { to: moment(fields.to) }),
    ...(fields.fromSequence === '' ? {} : { fromSequence: fields.fromSequence.trim() }),
    ...(fields.toSequence === '' ? {} : { toSequence: fields.toSequence.trim() }),
    ...(fields.rowId.trim() === '' ? {} : { rowId: rowIdOf(fields.rowId) }),
  };
}

/** A number, a quoted text and an object are what JSON says; anything else is a text as it stands. */
export function rowIdOf(typed: string): unknown {
  const text = typed.trim();
  try {
    const value: unknown = JSON.parse(text);
    const isExact = typeof value !== 'number' || Number.isSafeInteger(value);
    if (isExact && value !== null && typeof value !== 'boolean') return value;
  } catch {
    // It is not JSON: a text, as a uuid is.
  }
  return text;
}
