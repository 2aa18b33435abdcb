/** How the playground asks: over HTTP with the signed-in key, subscriptions over a WebSocket of its own. */
import type { Fetcher } from '@graphiql/toolkit';
import { getOperationAST, OperationTypeNode, type ExecutionResult } from 'graphql';
import { createClient } from 'graphql-ws';
import { parseJson } from '@/api/json';
import { storedKey } from '@/api/key';

type Asked = Parameters<Fetcher>[0];

const authorization = (): string => `Bearer ${storedKey() ?? ''}`;

const client = createClient({
  url: () => new URL('/graphql', window.location.href.replace(/^http/, 'ws')).href,
  connectionParams: () => ({ authorization: authorization() }),
  lazy: true,
});

export const fetcher: Fetcher = (asked, options) => {
  const operation = options?.documentAST && getOperationAST(options.documentAST, asked.operationName);
  if (operation?.operation === OperationTypeNode.SUBSCRIPTION) {
    // The errors of an answer are plain data, which GraphiQL shows as they are, whatever its types say.
    return client.iterate(partsOf(asked)) as AsyncIterableIterator<ExecutionResult>;
  }
  return post(asked);
};

function partsOf({ query, variables, operationName }: Asked): {
  query: string;
  variables: Record<string, unknown>;
  operationName: string | null;
} {
  return {
    query,
    variables: (variables ?? {}) as Record<string, unknown>,
    operationName: operationName ?? null,
  };
}

/** The answer with every digit of its numbers, or what answered in its place. */
async function post(asked: Asked): Promise<object> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: authorization() },
    body: JSON.stringify(partsOf(asked)),
  });
  const text = await response.text();
  try {
    return parseJson(text) as object;
  } catch {
    return { status: response.status, body: text };
  }
}
