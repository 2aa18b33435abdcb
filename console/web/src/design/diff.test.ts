import { describe, expect, it } from 'vitest';
import { diffOf } from './diff';

describe('a diff', () => {
  it('tells old and new of each column', () => {
    expect(diffOf({ status: 'a', n: null }, { status: 'b', n: null })).toEqual([
      { column: 'status', old: '"a"', new: '"b"', changed: true },
      { column: 'n', old: 'null', new: 'null', changed: false },
    ]);
  });

  it('of a new row has no old side', () => {
    expect(diffOf(null, { id: 1 })).toEqual([{ column: 'id', old: undefined, new: '1', changed: true }]);
  });
});
