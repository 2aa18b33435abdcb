import { describe, expect, it } from 'vitest';
import { creation, newDraft, sameSetting, trial, withResource } from './draft';
import { filterExamples, member } from './filterExamples';
import { filterFault } from './filterFault';

const draft = { ...newDraft(1), resource: 'RUN' as const, changedFields: ['status'], filter: ' ' };

describe('a subscription that is written', () => {
  it('is sent when it has a receiver and a resource', () => {
    expect(creation(newDraft(null), true)).toBeNull();
    expect(creation(newDraft(1), true)).toBeNull();
    expect(creation(draft, true)).toEqual({
      receiverId: 1,
      resource: 'RUN',
      action: 'UPDATE',
      active: true,
      changedFields: ['status'],
      filter: null,
    });
  });

  it('has changed fields on UPDATE only', () => {
    expect(trial({ ...draft, action: 'CREATE' }, 5)?.changedFields).toBeNull();
    expect(sameSetting({ ...draft, action: 'CREATE' }, draft)).toBe(false);
    expect(sameSetting({ ...draft, filter: '' }, draft)).toBe(true);
  });

  it('keeps the columns that another table has too', () => {
    expect(withResource({ ...draft, changedFields: ['status', 'title'] }, 'PART', ['status'])).toMatchObject({
      resource: 'PART',
      changedFields: ['status'],
    });
  });
});

describe('a filter', () => {
  it('that is refused is told with its place', () => {
    expect(filterFault('names no column (line 1, column 5)\nnew.statsu == 1\n    ^')).toEqual({
      message: 'names no column (line 1, column 5)',
      excerpt: 'new.statsu == 1\n    ^',
    });
    expect(filterFault('is too long')).toEqual({ message: 'is too long', excerpt: null });
    expect(filterFault(undefined)).toBeNull();
  });

  it('names columns as CEL can', () => {
    expect(member('new', 'status')).toBe('new.status');
    expect(member('old', 'Order No')).toBe('old["Order No"]');
  });

  it('has examples of the row that there is', () => {
    for (const { filter } of filterExamples('DELETE', ['id', 'status'], ['id'])) {
      expect(filter).toContain('old.status');
      expect(filter).not.toContain('new');
    }
    for (const { filter } of filterExamples('CREATE', ['id', 'status'], ['id'])) {
      expect(filter).not.toContain('old');
    }
    expect(filterExamples('UPDATE', [], [])).toEqual([]);
  });
});
