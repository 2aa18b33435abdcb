import { expect, it } from 'vitest';
import { allowLists } from './allowLists';

it('writes addresses as firewalls take them', () => {
  const lists = allowLists(['203.0.113.7/32', '198.51.100.0/24', '2001:db8::1/128']);
  const texts = Object.fromEntries(lists.map(({ title, text }) => [title, text]));
  expect(texts['Comma separated']).toBe('203.0.113.7/32,198.51.100.0/24,2001:db8::1/128');
  expect(texts['Without prefix length']).toBe('203.0.113.7\n198.51.100.0/24\n2001:db8::1');
});
