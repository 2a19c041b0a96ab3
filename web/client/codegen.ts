import type { CodegenConfig } from '@graphql-codegen/cli';

// How each scalar travels in JSON.
const text = { input: 'string', output: 'string' };

const config: CodegenConfig = {
  schema: 'src/generated/schema.graphql', // printed by chancery schema
  documents: 'src/generated/operations/*.graphql',
  generates: {
    'src/generated/graphql.ts': {
      plugins: ['typescript-operations', 'typed-document-node'],
      config: {
        strictScalars: true,
        scalars: { Date: text, DateTime: text, EDTF: text, RelationType: text, Family: text },
        enumsAsTypes: true,
        useTypeImports: true,
        skipTypename: true,
      },
    },
  },
};

export default config;
