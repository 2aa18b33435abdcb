import { describe, expect, it } from 'vitest';
import { faultOf } from './uri';

describe('the fault of a URI', () => {
  it.each(['https://receiver.example:8443/hooks?tenant=1', 'http://127.0.0.1:9000/'])(
    'is none of %s: whether the configuration allows it, the API says',
    (uri) => {
      expect(faultOf(uri)).toBeUndefined();
    },
  );

  it.each([
    ['', 'A receiver needs a URI.'],
    ['receiver.example/hooks', 'Give the whole URI, from https:// on.'],
    ['ftp://receiver.example', 'Only https is spoken.'],
    ['https://', 'This is no URI: look at the name of the host and at the port.'],
    ['https://a b', 'A URI holds no spaces.'],
    [
      'https://user:word@receiver.example',
      'Leave out the user and the password; a header of the receiver can carry them.',
    ],
    [`https://receiver.example/${'a'.repeat(2048)}`, 'It has 2073 characters; 2048 are the most.'],
  ])('refuses %s', (uri, error) => {
    expect(faultOf(uri)).toBe(error);
  });
});
