import { expect, it } from 'vitest';
import { lonePoints } from './lonePoints';

it('finds the values that no line leads to', () => {
  expect(lonePoints([null, 3, null, 4, 5, null, 6])).toEqual([1, 6]);
  expect(lonePoints([0])).toEqual([0]);
  expect(lonePoints([1, 2])).toEqual([]);
  expect(lonePoints([])).toEqual([]);
});
