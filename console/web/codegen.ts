/**
 * Types and typed documents, made from the published schema and from each `graphql(…)` in the source. With the API
 * as its only contract, the console does not compile against a schema that it does not fit. They lie outside of
 * `src`, which is written by people only and is what a build watches; the source calls them `@/api/generated`.
 */
import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../docs/schema.graphql',
  documents: ['src/**/*.{ts,tsx}', '!src/**/*.test.{ts,tsx}'],
  ignoreNoDocuments: true,
  generates: {
    'generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: 'string',
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        avoidOptionals: { field: true, inputValue: false },
        scalars: {
          // Numbers beyond 53 bits come as a string of their digits (see src/api/json.ts).
          BigInt: { input: 'number | string', output: 'number | string' },
          DateTime: 'string',
          JSON: 'unknown',
        },
      },
    },
  },
};

export default config;
