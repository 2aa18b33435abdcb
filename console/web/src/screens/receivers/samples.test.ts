import { describe, expect, it } from 'vitest';
import { samplesFor } from './samples';

const receiver = {
  webhookUri: 'https://receiver.example/hooks?tenant="1"',
  contentType: 'json',
  expectedResponseCode: 204,
};

describe('the samples', () => {
  it('hold the URI and the status of the receiver', () => {
    for (const { id, code } of samplesFor(receiver)) {
      expect(code).toContain('receiver.example/hooks');
      if (id !== 'ion') expect(code).toContain('204');
    }
  });

  it('hold what the request asks for as a literal', () => {
    const [python] = samplesFor(receiver);
    expect(python?.code).toContain('self.path != "/hooks?tenant=%221%22"');
  });

  it('read the event where the content type has it', () => {
    const code = (contentType: string): string | undefined =>
      samplesFor({ ...receiver, contentType }).find(({ id }) => id === 'node')?.code;
    expect(code('form')).toContain('.get("payload")');
    expect(code('cloudevents')).toContain('JSON.parse(String(body)).data');
  });

  it('listen where a receiver without TLS is', () => {
    const [python] = samplesFor({ ...receiver, webhookUri: 'http://127.0.0.1:4711/hooks' });
    expect(python?.code).toContain('("", 4711)');
  });
});
