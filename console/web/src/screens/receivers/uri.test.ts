import { describe, expect, it } from 'vitest';
import { opinionOf } from './uri';

describe('the opinion of a URI', () => {
  it('has nothing against an https URI', () => {
    expect(opinionOf('https://receiver.example:8443/hooks?tenant=1')).toEqual({});
  });

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
    expect(opinionOf(uri)).toEqual({ error });
  });

  it.each([
    'http://receiver.example',
    'https://127.0.0.1/',
    'https://localhost:9000/',
    'https://[::1]/',
    'https://172.20.0.1/',
  ])('warns of %s, which the configuration may allow', (uri) => {
    expect(opinionOf(uri).error).toBeUndefined();
    expect(opinionOf(uri).warning).toBeDefined();
  });
});
