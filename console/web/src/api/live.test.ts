import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiError } from './errors';
import { TypedDocumentString } from '@/api/generated/graphql';
import { storedKey, storeKey } from './key';
import { currentConnection, listen } from './live';

interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: unknown;
}

/** The other end of the protocol, as far as these tests go: it accepts each key and answers when told to. */
class FakeSocket extends EventTarget {
  static readonly all: FakeSocket[] = [];
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly said: Message[] = [];
  readyState = FakeSocket.OPEN;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;

  constructor() {
    super();
    FakeSocket.all.push(this);
    queueMicrotask(() => this.onopen?.());
  }

  send(text: string): void {
    const message = JSON.parse(text) as Message;
    this.said.push(message);
    if (message.type === 'connection_init') this.answer('{"type":"connection_ack"}');
  }

  answer(text: string): void {
    this.onmessage?.({ data: text });
  }

  close(code = 1000): void {
    if (this.readyState === FakeSocket.CLOSED) return;
    this.readyState = FakeSocket.CLOSED;
    this.onclose?.(new CloseEvent('close', { code }));
  }

  heard(type: string): Message | undefined {
    return this.said.find((message) => message.type === type);
  }
}

interface Ticked {
  readonly tick: number | string;
}

const document = new TypedDocumentString<Ticked, Record<string, never>>('subscription Tick { tick }');

const socketAt = (at: number): FakeSocket => {
  const socket = FakeSocket.all[at];
  if (socket === undefined) throw new Error(`no socket was opened for the ${at + 1}. time`);
  return socket;
};
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe('the live connection', () => {
  let results: Ticked[];
  let failures: ApiError[];
  let stop: () => void;

  const begin = async (): Promise<void> => {
    stop = listen(
      document,
      {},
      { next: (result) => results.push(result), failed: (error) => failures.push(error) },
    );
    await settle();
  };
  const idOf = (socket: FakeSocket): string => socket.heard('subscribe')?.id ?? 'nothing was asked for';

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('WebSocket', FakeSocket);
    FakeSocket.all.length = 0;
    results = [];
    failures = [];
    storeKey('first');
  });

  afterEach(async () => {
    stop();
    storeKey(null);
    await settle();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('begins with the key and tells messages with all digits', async () => {
    await begin();
    const socket = socketAt(0);
    expect(socket.heard('connection_init')?.payload).toEqual({ authorization: 'Bearer first' });
    expect(currentConnection()).toBe('live');
    socket.answer(`{"id":"${idOf(socket)}","type":"next","payload":{"data":{"tick":7}}}`);
    socket.answer(`{"id":"${idOf(socket)}","type":"next","payload":{"data":{"tick":9223372036854775807}}}`);
    expect(results[0]).toEqual({ tick: 7 });
    expect(Number(results[1]?.tick)).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });

  it('comes back after a break and asks again for what was listened to', async () => {
    await begin();
    socketAt(0).close(1006);
    await settle();
    expect(currentConnection()).toBe('broken');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(currentConnection()).toBe('live');
    const again = socketAt(1);
    again.answer(`{"id":"${idOf(again)}","type":"next","payload":{"data":{"tick":2}}}`);
    expect(results).toEqual([{ tick: 2 }]);
    expect(failures).toEqual([]);
  });

  it('gives up a socket that says nothing any more', async () => {
    await begin();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(socketAt(0).heard('ping')).toBeDefined();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(FakeSocket.all.length).toBe(2);
    expect(currentConnection()).toBe('live');
  });

  it('tells an error of a subscription, and its end by the other side', async () => {
    await begin();
    const socket = socketAt(0);
    const refusal = '[{"message":"too many subscriptions","extensions":{"code":"LIMIT"}}]';
    socket.answer(`{"id":"${idOf(socket)}","type":"error","payload":${refusal}}`);
    await settle();
    expect(failures).toMatchObject([{ code: 'LIMIT', message: 'too many subscriptions' }]);

    await begin();
    const next = socketAt(1);
    next.answer(`{"id":"${idOf(next)}","type":"complete"}`);
    await settle();
    expect(failures[1]).toMatchObject({ code: 'INTERNAL' });
  });

  it('ends without a word when it is no longer wanted', async () => {
    await begin();
    stop();
    await settle();
    expect(failures).toEqual([]);
    expect(currentConnection()).toBe('idle');
  });

  it('begins anew with another key', async () => {
    await begin();
    storeKey('second');
    await settle();
    expect(socketAt(0).readyState).toBe(FakeSocket.CLOSED);
    expect(failures).toEqual([]);
    await begin();
    expect(socketAt(1).heard('connection_init')?.payload).toEqual({ authorization: 'Bearer second' });
    expect(currentConnection()).toBe('live');
  });

  it('forgets a key that is not accepted any more', async () => {
    await begin();
    socketAt(0).close(4403);
    await settle();
    expect(storedKey()).toBeNull();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all.length).toBe(1);
  });
});
