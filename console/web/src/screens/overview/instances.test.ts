import { expect, it } from 'vitest';
import { goneInWords, meaning, placeOf, type ListedInstance } from './instances';

const instance = (running: boolean, readsChanges: boolean): ListedInstance => ({
  name: 'web-1/1/0',
  running,
  readsChanges,
});

it('an instance is called by its host and its process', () => {
  expect(placeOf('web-1/4711/00c0ffee00c0ffee')).toBe('web-1/4711');
  expect(placeOf('a/b/4711/0')).toBe('a/b/4711');
  expect(placeOf('of another kind')).toBe('of another kind');
});

it('one alone is told what that means, several that they share', () => {
  expect(meaning([instance(true, true)])).toMatch(/^One instance does everything/);
  expect(meaning([instance(true, true)])).not.toContain('None reads');
  expect(meaning([instance(true, true), instance(false, false)])).toMatch(/^One instance/);
  expect(meaning([instance(true, false), instance(true, true)])).toMatch(/^2 instances share/);
});

it('that nobody reads the changes is told', () => {
  expect(meaning([instance(true, false), instance(true, false)])).toMatch(/None reads the changes now\.$/);
});

it('those that went without a word are counted', () => {
  expect(goneInWords([instance(true, true)])).toBeNull();
  expect(goneInWords([instance(true, true), instance(false, false)])).toBe(
    'One instance has gone without a word',
  );
  expect(goneInWords([instance(false, false), instance(false, false)])).toBe(
    '2 instances have gone without a word',
  );
});
