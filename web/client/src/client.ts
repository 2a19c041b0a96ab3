import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';

export interface GraphQLProblem {
  message: string;
  path?: (string | number)[];
  extensions?: { code?: string };
}

/** What a server says is wrong. `code` is that of the first error, such as BAD_USER_INPUT or STORE_UNAVAILABLE. */
export class ChanceryError extends Error {
  readonly code: string;
  readonly status: number;
  readonly problems: GraphQLProblem[];

  constructor(problems: GraphQLProblem[], status: number) {
    super(problems.map((p) => p.message).join('; '));
    this.name = 'ChanceryError';
    this.problems = problems;
    this.status = status;
    this.code = problems[0]?.extensions?.code ?? 'UNKNOWN';
  }
}

export interface Options {
  url: string;
  token?: string;
  signal?: AbortSignal;
}

/** Asks a server, and gives its data. Variables and result have the types of the document. */
export async function ask<Result, Variables>(
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
  { url, token, signal }: Options,
): Promise<Result> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    Accept: 'application/graphql-response+json, application/json;q=0.9',
  };
  if (token) headers['Authorization'] = `Bearer ${token}`;
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query: print(document), variables }),
    ...(signal ? { signal } : {}),
  });
  const answer = (await response.json()) as { data?: Result; errors?: GraphQLProblem[] };
  if (answer.errors?.length) throw new ChanceryError(answer.errors, response.status);
  if (answer.data === undefined) throw new ChanceryError([{ message: `status ${response.status} without data` }], response.status);
  return answer.data;
}
