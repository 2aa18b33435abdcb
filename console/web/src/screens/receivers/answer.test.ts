import { expect, it } from 'vitest';
import { answerInAWord } from './answer';

it('an answer is told by its status, whether it is the expected one or not', () => {
  expect(answerInAWord({ responseStatus: 200, error: null })).toBe('HTTP 200');
  expect(answerInAWord({ responseStatus: 204, error: 'answered 204, expected 200' })).toBe('HTTP 204');
});

it('where none came, it is told why as far as that is known', () => {
  const word = (error: string | null) => answerInAWord({ responseStatus: null, error });
  expect(word('no complete answer within 5000 ms (while connecting); check that …')).toBe('timeout');
  expect(word('could not connect to a.example: refused; check …')).toBe('no connection');
  expect(word('DNS: a.example did not resolve (no record); check …')).toBe('DNS failed');
  expect(word('something that nobody thought of')).toBe('no answer');
  expect(word(null)).toBe('no answer');
});
