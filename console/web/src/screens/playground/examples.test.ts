import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { EXAMPLES } from './examples';

const schema = buildSchema(readFileSync('../../docs/schema.graphql', 'utf8'));

it.each(EXAMPLES)('"$label" fits the schema', ({ query, variables }) => {
  expect(validate(schema, parse(query))).toEqual([]);
  if (variables !== undefined) expect(JSON.parse(variables)).toBeTypeOf('object');
});
