import { describe, expect, it } from 'vitest';
import { fieldErrors } from '@/design/fieldErrors';
import { ApiError, apiErrorOf, asApiError } from './errors';

describe('an error of the API', () => {
  it('has the code that the API gave it', () => {
    const error = apiErrorOf([
      { message: 'there is no receiver with id 7', extensions: { code: 'NOT_FOUND' } },
    ]);
    expect(error.code).toBe('NOT_FOUND');
    expect(error.message).toBe('there is no receiver with id 7');
  });

  it('without a known code is a fault inside', () => {
    expect(apiErrorOf([{ message: 'what' }]).code).toBe('INTERNAL');
    expect(apiErrorOf([]).code).toBe('INTERNAL');
    expect(asApiError(new Error('what')).code).toBe('INTERNAL');
  });

  it('tells each refused field, without its path in front', () => {
    const error = apiErrorOf([
      {
        message: 'input.rateLimit.perSecond must be at least 0.00001',
        extensions: { code: 'VALIDATION', path: ['input', 'rateLimit', 'perSecond'] },
      },
      {
        message: 'input.changedFields[1] is no column',
        extensions: { code: 'VALIDATION', path: ['input', 'changedFields', 1] },
      },
    ]);
    const fields = fieldErrors(error);
    expect(fields.of('rateLimit.perSecond')).toBe('must be at least 0.00001');
    expect(fields.of('rateLimit')).toBe('must be at least 0.00001');
    expect(fields.of('changedFields')).toBe('is no column');
    expect(fields.of('name')).toBeUndefined();
    expect(fields.rest(['rateLimit'])).toEqual(['changedFields.1 is no column']);
  });

  it('that is about no field is told for the form', () => {
    expect(fieldErrors(new ApiError('CONFLICT', 'it has changed')).rest(['name'])).toEqual([
      'it has changed',
    ]);
  });
});
