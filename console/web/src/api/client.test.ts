import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ask } from './client';
import { CurrentUserDocument } from './session';
import { storedKey, storeKey } from './key';

function answering(status: number, body: string): void {
  vi.stubGlobal('fetch', vi.fn().mockResolvedValue(new Response(body, { status })));
}

describe('asking the API', () => {
  beforeEach(() => storeKey('good'));
  afterEach(() => vi.unstubAllGlobals());

  it('returns the data', async () => {
    answering(200, '{"data":{"currentUser":{"id":1,"name":"a","role":"admin"}}}');
    expect((await ask(CurrentUserDocument, {})).currentUser.role).toBe('admin');
  });

  it('forgets a key that is refused', async () => {
    answering(401, '{"errors":[{"message":"not known","extensions":{"code":"UNAUTHENTICATED"}}]}');
    await expect(ask(CurrentUserDocument, {})).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: 'not known',
    });
    expect(storedKey()).toBeNull();
  });

  it('keeps the key when another one was tried', async () => {
    answering(401, '{"errors":[{"message":"not known"}]}');
    await expect(ask(CurrentUserDocument, {}, { key: 'other' })).rejects.toThrow('not known');
    expect(storedKey()).toBe('good');
  });

  it('tells a failed connection and a stranger in between as such', async () => {
    vi.stubGlobal('fetch', vi.fn().mockRejectedValue(new TypeError('Failed to fetch')));
    await expect(ask(CurrentUserDocument, {})).rejects.toMatchObject({ code: 'NETWORK' });
    answering(502, '<html>bad gateway</html>');
    await expect(ask(CurrentUserDocument, {})).rejects.toMatchObject({ code: 'NETWORK' });
  });

  it('does not blame the network for a key that no header carries', async () => {
    answering(200, '{"data":null}');
    await expect(ask(CurrentUserDocument, {}, { key: 'a b' })).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });
});
