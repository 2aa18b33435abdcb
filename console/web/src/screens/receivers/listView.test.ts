import { describe, expect, it } from 'vitest';
import { filtersOf, listViewOf, withView } from './listView';

describe('the view of the list', () => {
  it('is read from the address and written to it without what is as by default', () => {
    const address = withView(new URLSearchParams('q=acme'), 'sort', 'name');
    expect(address.toString()).toBe('q=acme&sort=name');
    expect(listViewOf(address).order.sort).toEqual({ field: 'NAME', direction: 'ASC' });
    expect(withView(address, 'sort', 'oldest').toString()).toBe('q=acme');
    expect(withView(new URLSearchParams('health=probing'), 'health', 'any').toString()).toBe('');
    expect(withView(new URLSearchParams(), 'q', 'oldest').toString()).toBe('q=oldest');
  });

  it('takes what it does not know for the default', () => {
    const { order, health } = listViewOf(new URLSearchParams('sort=size&health=perhaps'));
    expect([order.id, health.id]).toEqual(['oldest', 'any']);
  });

  it('is asked of the API', () => {
    const { search, health } = listViewOf(new URLSearchParams('q=+acme+&health=trouble'));
    expect(filtersOf(search, health)).toEqual({ search: 'acme', health: ['FAILING', 'PROBING'] });
    expect(filtersOf(' ', listViewOf(new URLSearchParams()).health)).toBeNull();
  });
});
