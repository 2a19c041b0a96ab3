// Runs the golden operations through the typed client, and holds the answers to the golden ones.
import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert';
import { cases } from './generated/cases.js';
import { ActsDocument } from './generated/graphql.js';
import { ask, ChanceryError } from './client.js';
import { acts } from './example.js';

const url = process.argv[2];
if (!url) throw new Error('usage: test URL');
const options = { url };

for (const c of cases) {
  deepStrictEqual(await c.ask(options), c.data, c.name);
}

const whole = await acts(options, 500);
const paged = await acts(options, 2);
strictEqual(paged, whole, 'pages put together are the whole list');
ok(whole.split('<li>').length > 5, whole);
ok(whole.includes('met with Emmanuel Macron') || whole.includes('Emmanuel Macron met with'), whole);

await rejects(ask(ActsDocument, { first: 501 }, options), (e: ChanceryError) => {
  strictEqual(e.code, 'BAD_USER_INPUT');
  deepStrictEqual(e.problems[0]?.path, ['relations', 'first']);
  return true;
});
await rejects(ask(ActsDocument, { first: 1 }, { ...options, signal: AbortSignal.abort() }), { name: 'AbortError' });

console.log(`typed client: ${cases.length} golden operations answered as written\n${whole}`);
