import { expect, it } from 'vitest';
import { rowsOfBody } from './rowsOfBody';

it('finds the rows of a delivery, plain or as a CloudEvent', () => {
  const delivery = { event_id: 1, data: { id: 4, old: null, new: { a: 1 } } };
  const rows = { old: null, new: { a: 1 } };
  expect(rowsOfBody(delivery)).toEqual(rows);
  expect(rowsOfBody({ specversion: '1.0', data: delivery })).toEqual(rows);
});

it('finds none in what is no delivery', () => {
  for (const body of [null, 'payload=1', [], {}, { data: {} }, { data: null }])
    expect(rowsOfBody(body)).toBeNull();
});
