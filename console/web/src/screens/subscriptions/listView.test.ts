import { describe, expect, it } from 'vitest';
import { filtersOf, withPart } from './listView';

describe('the view of the list of subscriptions', () => {
  it('is what the address says', () => {
    const address = new URLSearchParams('receiver=3&resource=RUN_STEP&action=UPDATE&active=false');
    expect(filtersOf(address)).toEqual({
      receiverId: 3,
      resource: 'RUN_STEP',
      action: 'UPDATE',
      active: false,
    });
  });

  it('leaves out what the address does not say well', () => {
    expect(filtersOf(new URLSearchParams('receiver=x&resource=a b&action=GO&active=maybe'))).toEqual({});
    expect(filtersOf(new URLSearchParams())).toEqual({});
  });

  it('changes in one part', () => {
    const address = new URLSearchParams('receiver=3&action=UPDATE');
    expect(withPart(address, 'receiver', null).toString()).toBe('action=UPDATE');
    expect(withPart(address, 'active', 'true').toString()).toBe('receiver=3&action=UPDATE&active=true');
  });
});
