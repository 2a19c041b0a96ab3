// Opens GraphiQL in a headless Chromium that can reach nothing but the server, and uses it.
// node test.mjs URL [PICTURE]: the address of a server with data/paris-talks-2025.yaml, and where to put a picture.
import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, picture] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = await (await browser.newContext({ viewport: { width: 1200, height: 750 }, deviceScaleFactor: 1 })).newPage();
  const wrong = [];
  const origin = new URL(url).origin;
  await page.route('**', (route) => {
    if (new URL(route.request().url()).origin === origin || route.request().url().startsWith('data:')) return route.continue();
    wrong.push(`asks for ${route.request().url()}`);
    return route.abort();
  });
  page.on('console', (m) => { if (m.type() === 'error') wrong.push(`console: ${m.text()}`); });
  page.on('pageerror', (e) => wrong.push(`page: ${e.message}`));

  await page.goto(url);
  await page.waitForSelector('.graphiql-container');
  const tabs = await page.locator('.graphiql-tab').count();
  assert(tabs >= 3, `${tabs} tabs`);
  assert.match(await page.locator('.graphiql-query-editor').innerText(), /Paris|relations|MET_WITH/i);

  const result = page.locator('.result-window');
  // A click while the page starts can be lost.
  const execute = async () => {
    for (let tries = 0; tries < 10; tries++) {
      await page.click('.graphiql-execute-button');
      const deadline = Date.now() + 2000;
      while (Date.now() < deadline) {
        const text = await result.innerText();
        if (text.includes('"data"') || text.includes('"errors"')) return text;
        await page.waitForTimeout(50);
      }
    }
    throw new Error('no answer');
  };

  // The example that it opens on has an answer.
  const text = await execute();
  assert.match(text, /Macron|Zelenskyy|Witkoff|Peskov/, text);
  assert(!text.includes('"errors"'), text);
  if (picture) await page.screenshot({ path: picture });

  // Every example answers.
  for (let i = 1; i < tabs; i++) {
    await page.locator('.graphiql-tab').nth(i).locator('button').first().click();
    await page.waitForFunction((n) => document.querySelectorAll('.graphiql-tab')[n].classList.contains('graphiql-tab-active'), i);
    await page.waitForTimeout(500); // GraphiQL finds out the operation's name after a moment
    const answer = await execute();
    assert(!answer.includes('"errors"'), answer);
  }

  // A subscription opens a socket and waits.
  await page.locator('.graphiql-tab-add').click();
  const acknowledged = new Promise((done) => {
    page.on('websocket', (socket) => socket.on('framereceived', (frame) => String(frame.payload).includes('connection_ack') && done()));
  });
  await page.locator('.graphiql-query-editor .CodeMirror').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.insertText('subscription { recorded { change } }');
  await page.waitForFunction(() => document.querySelector('.graphiql-query-editor').textContent.includes('recorded'));
  await page.waitForTimeout(500); // the editor hands its text on after a moment
  await page.click('.graphiql-execute-button');
  await Promise.race([acknowledged, page.waitForTimeout(20000).then(() => assert.fail('no subscription is opened'))]);
  await page.click('.graphiql-execute-button');

  // Names are completed, and the documentation is there.
  await page.locator('.graphiql-query-editor .CodeMirror').click();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('{ lead');
  await page.keyboard.press('Control+Space');
  await page.getByText('leaders').first().waitFor({ timeout: 10000 });
  await page.keyboard.press('Escape');
  await page.locator('button[aria-label*="Documentation Explorer"]').first().click();
  await page.locator('.graphiql-doc-explorer').getByText('Query', { exact: true }).first().waitFor();

  // What the page for front ends shows works as it stands there, but for the address.
  const shown = readFileSync(new URL('../../docs/frontend.md', import.meta.url), 'utf8').match(/```js\n(.*?)```/s)[1];
  await page.evaluate(`(async () => { ${shown.replace('http://127.0.0.1:8080/', url)} })()`);
  const items = await page.locator('body > ul > li').allInnerTexts();
  assert(items.length === 10 && items.every((item) => / .+, /.test(item)), items.join('\n'));

  assert.deepStrictEqual(wrong, []);
  console.log(`GraphiQL: ${tabs} examples answered, a subscription opened, without any other host`);
} finally {
  await browser.close();
}
