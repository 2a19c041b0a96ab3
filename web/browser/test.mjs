// Drives the real Neo4j Browser in a headless Chromium: connects, applies the style, runs every saved query with Browser's
// settings as they are ("connect result nodes" is on), and looks at what is drawn. It leaves a screenshot of each.
// node test.mjs HTTP OUT [PICTURE], with NEO4J_URI, NEO4J_USERNAME and NEO4J_PASSWORD of a server that holds
// data/paris-talks-2025.yaml and both editions of second.yaml.
import assert from 'node:assert';
import { mkdirSync, readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [http, out, picture] = process.argv.slice(2);
const { NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD } = process.env;
const read = (file) => readFileSync(new URL(file, import.meta.url), 'utf8');
const expected = JSON.parse(read('expect.json'));
const style = read('../../neo4j/browser/style.grass');
const cut = (text) =>
  text.split(/;\s*\n/).map((q) => q.trim()).filter(Boolean).map((q) => ({ title: q.match(/^\/\/ (.*)/)?.[1], text: q }));
const queries = cut(read('../../neo4j/browser/queries.cypher'));
// The page for analysts shows Cypher too; it runs as well.
for (const [, text] of read('../../docs/browser.md').matchAll(/```cypher\n(.*?)```/gs)) queries.push({ title: null, text: text.trim() });
if (process.env.EXPLAIN) {
  for (const e of JSON.parse(readFileSync(process.env.EXPLAIN, 'utf8')).extensions.explain) queries.push({ title: null, pasted: true, text: e.standalone });
  assert(queries.some((q) => q.pasted), 'explain shows no query');
}
mkdirSync(out, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
  // Browser asks its makers for news and guides; the test needs none of it.
  await page.route('**', (route) => (new URL(route.request().url()).hostname === '127.0.0.1' ? route.continue() : route.abort()));
  await page.goto(`${http}/browser/`);
  await page.waitForSelector('[data-testid="connect"]');
  const url = page.locator('[data-testid="boltaddress"]');
  await page.locator('select').first().selectOption('bolt://').catch(() => {});
  await url.fill(NEO4J_URI.replace(/^[a-z0-9+]+:\/\//, ''));
  await page.locator('[data-testid="username"]').fill(NEO4J_USERNAME);
  await page.locator('[data-testid="password"]').fill(NEO4J_PASSWORD);
  await page.click('[data-testid="connect"]');
  await page.waitForSelector('.monaco-editor');
  await page.waitForFunction(() => document.body.innerText.includes('You are connected as user'), null, { timeout: 30000 });

  const run = async (text) => {
    await page.locator('.monaco-editor').first().click();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    // Pasted and not typed: the editor closes brackets for those who type.
    await page.evaluate((t) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', t);
      document.querySelector('.monaco-editor textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    }, text);
    await page.keyboard.press('Control+Enter');
  };
  const frames = page.locator('article[data-testid="frame"], [data-testid="frame"]');
  const clear = async () => {
    await run(':clear');
    await page.waitForFunction(() => document.querySelectorAll('[data-testid="frame"]').length === 0);
  };

  await clear();
  await run(`:style ${style.replace(/\s*\n\s*/g, ' ').trim()}`);
  await page.waitForTimeout(1000);

  const colours = {};
  for (const [, label, body] of style.matchAll(/node\.(\w+) \{([^}]*)\}/g)) colours[label] = body.match(/[; ]color: (#\w+)/)[1].toLowerCase();
  const drawn = () =>
    page.evaluate(() => ({
      nodes: [...document.querySelectorAll('svg g.node')].map((g) => ({
        text: [...g.querySelectorAll('text')].map((t) => t.textContent).join(' ').replace(/\s+/g, ' ').trim(),
        fill: [...g.querySelectorAll('circle')].map((c) => getComputedStyle(c).fill).find((c) => /^rgb\(/.test(c) && c !== 'rgb(0, 0, 0)')
          ?.replace(/rgb\((\d+), (\d+), (\d+)\)/, (_, ...c) => '#' + c.slice(0, 3).map((n) => Number(n).toString(16).padStart(2, '0')).join('')),
      })),
      captions: [...document.querySelectorAll('svg g.relationship')].map((g) => [...g.querySelectorAll('text')].map((t) => t.textContent).join(' ').trim()),
    }));

  let fills = new Set();
  const problems = [];
  for (const [i, { title, text, pasted }] of queries.entries()) {
    await clear();
    const name = title ?? `${pasted ? 'explain' : 'docs/browser.md'}: ${text.slice(0, 100)}`;
    const key = title && Object.keys(expected).find((k) => title.startsWith(k));
    if (title && !key) { problems.push(`${title}: expect.json says nothing of it`); continue; }
    const want = key ? expected[key] : {};
    await run(text);
    try {
      await page.waitForSelector('[data-testid="frame"]', { timeout: 20000 });
      if (pasted) {
        await page.waitForFunction(() => /Started streaming \d+ record/.test(document.querySelector('[data-testid="frame"]').innerText), null, { timeout: 20000 });
      } else if (want.table || (!key && !/RETURN [a-z]+(, [a-z]+)*\s*(;|$|\n)/.test(text))) {
        await page.waitForFunction((t) => document.querySelector('[data-testid="frame"]').innerText.includes(t), want.table ?? 'Started streaming', { timeout: 20000 });
      } else {
        await page.waitForSelector('svg g.node', { timeout: 20000 });
        await page.waitForTimeout(1500); // the layout comes to rest, and nodes are connected
        const { nodes, captions } = await drawn();
        if (process.env.SHOW) console.log(name, JSON.stringify(nodes), JSON.stringify(captions));
        for (const n of nodes) fills.add(n.fill);
        // Long captions are cut to fit; their beginnings are there.
        const shows = (w) => nodes.some((n) => n.text === w || (n.text.length > 3 && w.startsWith(n.text.replace(/…$/, '').trim())));
        for (const w of want.nodes ?? []) if (!shows(w)) problems.push(`${name}: no node ${w} in ${nodes.map((n) => n.text).join(' | ')}`);
        for (const w of want.captions ?? []) if (!captions.some((c) => c && w.startsWith(c.replace(/…$/, '').trim()))) problems.push(`${name}: nothing reads ${w} among ${captions.join(' | ')}`);
        const former = nodes.filter((n) => n.fill === colours.Former);
        if (!want.former && former.length > 0) problems.push(`${name}: draws former versions`);
        if (want.former && former.length === 0) problems.push(`${name}: draws no former versions`);
      }
      const failed = await page.locator('[data-testid="frame"]').first().innerText();
      if (/Neo\.ClientError|SyntaxError/.test(failed)) problems.push(`${name}: ${failed.slice(0, 300)}`);
    } catch (e) {
      problems.push(`${name}: ${e.message.split('\n')[0]} ${(await page.locator('[data-testid="frame"]').first().innerText().catch(() => '')).slice(0, 300)}`);
    }
    await page.screenshot({ path: `${out}/${String(i + 1).padStart(2, '0')}.png` });
    if (want.picture && picture) {
      const frame = page.locator('[data-testid="frame"]').first();
      await frame.screenshot({ path: picture });
    }
  }
  for (const label of ['Leader', 'State', 'Envoy', 'Spokesperson', 'Facility']) {
    if (!fills.has(colours[label])) problems.push(`no node has the colour of ${label}, ${colours[label]}: ${[...fills].join(' ')}`);
  }
  assert(queries.length >= 12, `${queries.length} queries`);
  for (const p of problems) console.error(p);
  assert.strictEqual(problems.length, 0, `${problems.length} problems; screenshots are in ${out}`);
  console.log(`Neo4j Browser: ${queries.length} queries drawn as expected; screenshots are in ${out}`);
} finally {
  await browser.close();
}
