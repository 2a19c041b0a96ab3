// Runs the script of docs/frontend.md that needs nothing but fetch, against a server and in a page with just enough of a DOM.
import assert from 'node:assert';
import { readFileSync } from 'node:fs';

const url = process.argv[2];
if (!url) throw new Error('usage: page URL');
const text = readFileSync(new URL('../../../docs/frontend.md', import.meta.url), 'utf8');
const script = /^```js\n(.*?)^```$/ms.exec(text)?.[1];
assert(script, 'docs/frontend.md has no script');
const shown = 'http://127.0.0.1:8080/graphql';
assert(script.includes(shown), `the script does not ask ${shown}`);

class Element {
  textContent = '';
  children = [];
  constructor(name) { this.name = name; }
  append(...children) { this.children.push(...children); }
}
const document = { body: new Element('body'), createElement: (name) => new Element(name) };
const AsyncFunction = (async () => {}).constructor;
await new AsyncFunction('document', script.replaceAll(shown, url))(document);

const [list] = document.body.children;
assert.strictEqual(list?.name, 'ul');
const items = list.children.map((item) => item.textContent);
assert.strictEqual(items.length, 10);
for (const item of items) assert.match(item, /^\S.* .*, (undated|[-\d/.~?%X]+)$/);
assert(items.some((item) => item.includes('Macron')), items.join('\n'));
console.log(`docs/frontend.md: its script made a list of ${items.length}`);
