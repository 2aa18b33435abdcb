import { describe, expect, it } from 'vitest';
import { verdictOf } from './uriVerdict';

const outside = { address: '93.184.216.34', allowed: true, reason: null };
const inside = { address: '10.1.2.3', allowed: false, reason: 'a private address' };

describe('the verdict on a URI', () => {
  it('tells where deliveries would go, and which of the addresses are left out', () => {
    expect(verdictOf({ accepted: true, allowed: true, problems: [], addresses: [outside, inside] })).toEqual({
      tone: 'good',
      text: 'Deliveries are allowed to go there.',
      addresses: ['93.184.216.34', '10.1.2.3 (not connected to: a private address)'],
    });
  });

  it('sets apart what can be saved from what is refused', () => {
    expect(
      verdictOf({
        accepted: true,
        allowed: false,
        problems: ['nowhere.example does not resolve now: no such name'],
        addresses: [],
      }),
    ).toMatchObject({
      tone: 'warn',
      text: 'It can be saved, but deliveries would not arrive as things are. nowhere.example does not resolve now: no such name.',
    });
    expect(
      verdictOf({
        accepted: false,
        allowed: false,
        problems: ['webhookUri must use https'],
        addresses: [outside],
      }),
    ).toMatchObject({ tone: 'bad', text: 'It would be refused. It must use https.' });
  });
});
