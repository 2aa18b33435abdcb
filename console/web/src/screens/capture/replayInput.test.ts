import { describe, expect, it } from 'vitest';
import { NOTHING, problemsOf, replayInput, rowIdOf } from './replayInput';

describe('the input of a replay', () => {
  it('holds only what was given', () => {
    const input = replayInput({ ...NOTHING, subscription: '4', fromSequence: ' 12', toSequence: '20' }, true);
    expect(input).toEqual({ subscriptionId: 4, dryRun: true, fromSequence: '12', toSequence: '20' });
    expect(replayInput(NOTHING, true)).toBeUndefined();
  });

  it('has moments in UTC', () => {
    const at = '2026-04-26T10:00';
    const input = replayInput({ ...NOTHING, subscription: '4', from: at }, false);
    expect(input?.from).toBe(new Date(at).toISOString());
  });

  it('reads a row id as the API writes it, and anything else as text', () => {
    expect(rowIdOf('17')).toBe(17);
    expect(rowIdOf('"17"')).toBe('17');
    expect(rowIdOf('{"a":1,"b":"x"}')).toEqual({ a: 1, b: 'x' });
    expect(rowIdOf(' 0b2d-11 ')).toBe('0b2d-11');
    expect(rowIdOf('9223372036854775807')).toBe('9223372036854775807');
  });

  it('must say which changes', () => {
    expect(problemsOf({ ...NOTHING, subscription: '4' }).all).toBeDefined();
    expect(problemsOf({ ...NOTHING, fromSequence: '0' }).fromSequence).toBeDefined();
    expect(problemsOf({ ...NOTHING, rowId: '3' })).toEqual({});
  });
});
