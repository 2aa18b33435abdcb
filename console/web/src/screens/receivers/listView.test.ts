import { describe, expect, it } from 'vitest';
import { listViewOf, matches, withView } from './listView';

describe('the view of the list', () => {
  it('is read from the address and written to it without what is as by default', () => {
    const address = withView(new URLSearchParams('q=acme'), 'sort', 'name');
    expect(address.toString()).toBe('q=acme&sort=name');
    expect(listViewOf(address).order.sort).toEqual({ field: 'NAME', direction: 'ASC' });
    expect(withView(address, 'sort', 'oldest').toString()).toBe('q=acme');
  });

  it('takes what it does not know for the default', () => {
    const { order, activity } = listViewOf(new URLSearchParams('sort=size&active=perhaps'));
    expect([order.id, activity.id]).toEqual(['oldest', 'all']);
  });

  it('finds each word in the name or in the URI, whatever the case', () => {
    const receiver = { name: 'Acme orders', webhookUri: 'https://hooks.example/Acme' };
    expect(matches('', receiver)).toBe(true);
    expect(matches('ORDERS example', receiver)).toBe(true);
    expect(matches('orders elsewhere', receiver)).toBe(false);
  });
});
