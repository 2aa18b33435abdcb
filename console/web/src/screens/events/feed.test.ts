import { expect, test } from 'vitest';
import type { EventRow } from './documents';
import {
  hasGap,
  MOST_WAITING,
  NOTHING_READ,
  withArrived,
  withNewestPage,
  withNextPage,
  withWaitingShown,
  type Feed,
  type Page,
} from './feed';
import { filtersOf, rowKeyOf, rowKeyText, searchOf, timeOfField, viewOf } from './filters';

const row = (id: number | string, status = 'pending'): EventRow => ({
  id,
  test: false,
  status,
  resource: 'RUN',
  action: 'CREATE',
  rowId: 1,
  occurredAt: '2026-04-26T19:33:42.108Z',
  responseStatus: null,
  attemptCount: 0,
  nextAttemptAt: null,
  error: null,
  receiver: null,
});
const page = (ids: readonly number[], hasMore = false): Page => ({
  rows: ids.map((id) => row(id)),
  endCursor: 'end',
  hasMore,
});
const ids = (rows: readonly EventRow[]) => rows.map(({ id }) => id);
const read = (shown: readonly number[], hasMore = false): Feed =>
  withNewestPage(NOTHING_READ, page(shown, hasMore));

test('new events wait and leave what is shown as it is; then they come first', () => {
  const feed = withArrived(read([3, 2, 1]), [row(4), row(5), row(4, 'delivered')]);
  expect(ids(feed.rows)).toEqual([3, 2, 1]);
  expect(ids(feed.waiting)).toEqual([5, 4]);
  const shown = withWaitingShown(feed);
  expect(ids(shown.rows)).toEqual([5, 4, 3, 2, 1]);
  expect(shown.rows[1]?.status).toBe('delivered');
});

test('an event that is shown changes in its place', () => {
  const feed = withArrived(read([3, 2, 1]), [row(2, 'failed')]);
  expect(feed.waiting).toEqual([]);
  expect(feed.rows.map(({ status }) => status)).toEqual(['pending', 'failed', 'pending']);
});

test('an older event that comes to match goes to its place, but not below what is read', () => {
  expect(ids(withWaitingShown(withArrived(read([9, 5], true), [row(7), row(2)])).rows)).toEqual([9, 7, 5]);
  expect(ids(withWaitingShown(withArrived(read([9, 5]), [row(2)])).rows)).toEqual([9, 5, 2]);
});

test('what came before the first page was read is there once', () => {
  const feed = withNewestPage(withArrived(NOTHING_READ, [row(4), row(3)]), page([3, 2]));
  expect(ids(feed.rows)).toEqual([4, 3, 2]);
});

test('the next page follows, without what is there already', () => {
  expect(ids(withNextPage(read([5, 4], true), page([4, 3])).rows)).toEqual([5, 4, 3]);
});

test('more than can wait is counted', () => {
  const many = Array.from({ length: MOST_WAITING + 5 }, (_, at) => row(at + 10));
  const feed = withArrived(read([1]), many);
  expect(feed.waiting).toHaveLength(MOST_WAITING);
  expect(feed.beyond).toBe(5);
});

test('a break leaves a gap where the newest page does not reach what is known', () => {
  expect(hasGap(read([5, 4]), page([9, 8], true))).toBe(true);
  expect(hasGap(read([5, 4]), page([6, 5], true))).toBe(false);
});

test('ids beyond 53 bits keep their order', () => {
  const feed = withArrived(read([1]), [row('9007199254740993'), row('9007199254740995')]);
  expect(ids(feed.waiting)).toEqual(['9007199254740995', '9007199254740993']);
});

test('a view is the same after it was written into the address', () => {
  const view = { status: 'failed', receiver: '7', row: '{"a":1}', transaction: '9007199254740993' };
  expect(viewOf(new URLSearchParams(searchOf(view)))).toEqual(view);
  expect(filtersOf(view)).toEqual({
    filters: { status: 'failed', receiverId: 7, rowId: { a: 1 }, transactionId: '9007199254740993' },
    problems: {},
  });
  expect(Object.keys(filtersOf({ receiver: 'x', after: 'y' }).problems)).toEqual(['receiver', 'after']);
});

test('a row key is read back as what it is', () => {
  for (const key of [7, '7', 'abc', { a: 1, b: 'x' }, 'null']) expect(rowKeyOf(rowKeyText(key))).toEqual(key);
});

test('a time of a field is in UTC', () => {
  expect(timeOfField('2026-04-26T19:33')).toBe('2026-04-26T19:33:00Z');
  expect(timeOfField('')).toBe('');
});
