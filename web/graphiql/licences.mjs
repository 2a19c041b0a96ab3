// Prints the licences of all packages that are in a bundle.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const inputs = Object.keys(JSON.parse(readFileSync(process.argv[2], 'utf8')).inputs);
const folders = new Set();
for (const input of inputs) {
  const at = input.lastIndexOf('node_modules/');
  if (at < 0) continue;
  const [first, second] = input.slice(at + 'node_modules/'.length).split('/');
  folders.add(join(input.slice(0, at), 'node_modules', first.startsWith('@') ? join(first, second) : first));
}
for (const folder of [...folders].sort()) {
  const { name, version, license, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
  console.log(`${'='.repeat(78)}\n${name} ${version}, ${license ?? 'licence below'}\n`);
  console.log(file ? readFileSync(join(folder, file), 'utf8').trim() : `Its package holds no licence text; see ${repository?.url ?? repository ?? name}.`);
  console.log();
}
