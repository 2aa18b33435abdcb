import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  keyOfFragment,
  onKeyChange,
  refuseKey,
  signInFromAddress,
  storedKey,
  storeKey,
  wasRefused,
} from './key';

describe('the key', () => {
  beforeEach(() => {
    sessionStorage.clear();
    window.history.replaceState(null, '', '/');
  });

  it('is read from a fragment', () => {
    expect(keyOfFragment('#key=demo-1')).toBe('demo-1');
    expect(keyOfFragment('#a=b&key=c%2Fd')).toBe('c/d');
    expect(keyOfFragment('#key=')).toBeNull();
    expect(keyOfFragment('#main')).toBeNull();
    expect(keyOfFragment('')).toBeNull();
  });

  it('of the address is stored and leaves the address', () => {
    window.history.replaceState(null, '', '/events?status=failed#key=abc');
    signInFromAddress();
    expect(storedKey()).toBe('abc');
    expect(window.location.pathname + window.location.search + window.location.hash).toBe(
      '/events?status=failed',
    );
  });

  it('tells those who listen', () => {
    const told = vi.fn();
    const stop = onKeyChange(told);
    storeKey('a');
    storeKey(null);
    stop();
    storeKey('b');
    expect(told).toHaveBeenCalledTimes(2);
  });

  it('that was refused is told from one that was signed out of', () => {
    storeKey('a');
    refuseKey();
    expect([storedKey(), wasRefused()]).toEqual([null, true]);
    storeKey('b');
    expect(wasRefused()).toBe(false);
    storeKey(null);
    expect(wasRefused()).toBe(false);
  });
});
