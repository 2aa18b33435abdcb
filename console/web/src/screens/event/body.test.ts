import { expect, test } from 'vitest';
import { readBody } from './body';

const delivery = '{"event_id":7,"data":{"id":1,"old":{"a":1},"new":{"a":2}}}';

test('old and new are found in each content type', () => {
  const found = { old: { a: 1 }, new: { a: 2 } };
  expect(JSON.parse(JSON.stringify(readBody(delivery)))).toMatchObject(found);
  const form = `payload=${encodeURIComponent(delivery)}`;
  expect(JSON.parse(JSON.stringify(readBody(form)))).toMatchObject(found);
  const cloudEvent = `{"specversion":"1.0","id":"7","data":${delivery}}`;
  expect(JSON.parse(JSON.stringify(readBody(cloudEvent)))).toMatchObject(found);
});

test('what is not JSON is left as it is', () => {
  expect(readBody('no json')).toEqual({ pretty: null, old: null, new: null });
});
