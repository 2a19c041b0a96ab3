import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { ask, type Options } from './client.js';

/** An operation with variables that fit it, and the data that it is to give. */
export const golden = <Result, Variables>(
  name: string,
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
  data: unknown,
) => ({ name, data, ask: (options: Options) => ask(document, variables, options) });
