import { ActsDocument, type ActsQuery } from './generated/graphql.js';
import { ask, type Options } from './client.js';

type Act = ActsQuery['relations']['nodes'][number];

const escape = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

const item = (m: Act) =>
  `<li>${escape(m.source.name)} ${escape(m.label)} ${escape(m.target.name)}, ${escape(m.date.edtf ?? 'undated')}</li>`;

/** All acts of the record as an HTML list, newest first, fetched in pages. */
export async function acts(options: Options, size = 10): Promise<string> {
  const items: string[] = [];
  let after: string | null = null;
  do {
    const { relations }: ActsQuery = await ask(ActsDocument, { first: size, after }, options);
    items.push(...relations.nodes.map(item));
    after = relations.pageInfo.hasNextPage ? (relations.pageInfo.endCursor ?? null) : null;
  } while (after);
  return `<ul>\n${items.join('\n')}\n</ul>`;
}
