/**
 * The filters of the list of events, as they stand in the address: a view can be shared, and the browser's back
 * button leads to the view before.
 */
import type { ResourceEnum, WebhookEventFilters, WebhookSubscriptionActions } from '@/api/generated/graphql';
import { parseJson } from '@/api/json';

export const FILTER_NAMES = [
  'status',
  'resource',
  'action',
  'receiver',
  'subscription',
  'row',
  'transaction',
  'after',
  'before',
] as const;

export type FilterName = (typeof FILTER_NAMES)[number];

/** As written in the address. */
export type View = Readonly<Partial<Record<FilterName, string>>>;

export function viewOf(parameters: URLSearchParams): View {
  return viewWith(Object.fromEntries(parameters));
}

/** What is not empty of what is given. */
export function viewWith(given: Readonly<Partial<Record<FilterName, string | undefined>>>): View {
  return Object.fromEntries(
    FILTER_NAMES.flatMap((name) => {
      const value = given[name] ?? '';
      return value === '' ? [] : [[name, value]];
    }),
  );
}

export function searchOf(view: View): string {
  const parameters = new URLSearchParams();
  for (const name of FILTER_NAMES) {
    const value = view[name];
    if (value !== undefined && value !== '') parameters.set(name, value);
  }
  const written = parameters.toString();
  return written === '' ? '' : `?${written}`;
}

export interface ReadView {
  readonly filters: WebhookEventFilters;
  /** What can not be asked for, by the name of its filter. */
  readonly problems: Readonly<Partial<Record<FilterName, string>>>;
}

const NUMBER = /^\d{1,10}$/;
const BIG_NUMBER = /^-?\d{1,19}$/;

/** The view as the API takes it. Words that only the API knows (status, resource, action) are its to refuse. */
export function filtersOf(view: View): ReadView {
  const problems: Partial<Record<FilterName, string>> = {};
  const filters: WebhookEventFilters = {};
  const { status, resource, action, receiver, subscription, row, transaction, after, before } = view;

  if (status !== undefined) filters.status = status;
  // The names of this deployment's tables, not those that the types were made from.
  if (resource !== undefined) filters.resource = resource as ResourceEnum;
  if (action !== undefined) filters.action = action as WebhookSubscriptionActions;
  if (row !== undefined) filters.rowId = rowKeyOf(row);

  if (receiver !== undefined) {
    if (NUMBER.test(receiver)) filters.receiverId = Number(receiver);
    else problems.receiver = 'must be the id of a receiver, a number';
  }
  if (subscription !== undefined) {
    if (NUMBER.test(subscription)) filters.subscriptionId = Number(subscription);
    else problems.subscription = 'must be the id of a subscription, a number';
  }
  if (transaction !== undefined) {
    if (BIG_NUMBER.test(transaction)) filters.transactionId = bigInt(transaction);
    else problems.transaction = 'must be the number of a transaction';
  }
  for (const [name, value, field] of [
    ['after', after, 'occurredAfter'],
    ['before', before, 'occurredBefore'],
  ] as const) {
    if (value === undefined) continue;
    if (Number.isNaN(Date.parse(value))) problems[name] = 'must be a time, as 2026-04-26T19:33:42Z';
    else filters[field] = value;
  }
  return { filters, problems };
}

function bigInt(digits: string): number | string {
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : digits;
}

/** `7` is a number, `{"a":1}` a composite key, `"7"` and `abc` are texts. */
export function rowKeyOf(written: string): unknown {
  try {
    const value = parseJson(written);
    return typeof value === 'object' || typeof value === 'number' || typeof value === 'string'
      ? value
      : written;
  } catch {
    return written;
  }
}

/** A row's key for people and for the address: what `rowKeyOf` reads back. */
export function rowKeyText(key: unknown): string {
  if (typeof key !== 'string') return JSON.stringify(key);
  return rowKeyOf(key) === key ? key : JSON.stringify(key);
}

/** For an input of type datetime-local, in UTC. */
export function fieldOfTime(time: string | undefined): string {
  if (time === undefined) return '';
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString().slice(0, 16);
}

export function timeOfField(field: string): string {
  const at = new Date(`${field}Z`);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString().replace('.000Z', 'Z');
}
