/** How the playground asks: over HTTP with the signed-in key, subscriptions over a WebSocket of its own. */
import type { Fetcher } from '@graphiql/toolkit';
import {
  getOperationAST,
  OperationTypeNode,
  parse,
  type ExecutionResult,
  type OperationDefinitionNode,
} from 'graphql';
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

export const fetcher: Fetcher = (asked) => {
  const operation = operationOf(asked);
  if (operation?.operation === OperationTypeNode.SUBSCRIPTION) {
    // The errors of an answer are plain data, which GraphiQL shows as they are, whatever its types say.
    return client.iterate(partsOf(asked, operation)) as AsyncIterableIterator<ExecutionResult>;
  }
  return post(asked, operation);
};

/**
 * What is to run. The name that comes with a document may be that of the one that stood in the editor before, so it
 * only picks among several.
 */
function operationOf({ query, operationName }: Asked): OperationDefinitionNode | null {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document) ?? null;
  } catch {
    // The API tells what is wrong with it.
    return null;
  }
}

function partsOf(
  { query, variables }: Asked,
  operation: OperationDefinitionNode | null,
): {
  query: string;
  variables: Record<string, unknown>;
  operationName: string | null;
} {
  return {
    query,
    variables: (variables ?? {}) as Record<string, unknown>,
    operationName: operation?.name?.value ?? null,
  };
}

/** The answer with every digit of its numbers, or what answered in its place. */
async function post(asked: Asked, operation: OperationDefinitionNode | null): Promise<object> {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: authorization() },
    body: JSON.stringify(partsOf(asked, operation)),
  });
  const text = await response.text();
  try {
    return parseJson(text) as object;
  } catch {
    return { status: response.status, body: text };
  }
}
