// Prints the licences of all packages that are in a bundle, and of the fonts in the style sheet.
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

// Packages that come without the text, and those of the same authors that have it.
const siblings = {
  '@graphiql/plugin-doc-explorer': 'graphiql',
  '@graphiql/plugin-history': 'graphiql',
  'react-compiler-runtime': 'react',
  'react-remove-scroll-bar': 'react-remove-scroll',
};
const licence = (folder) => {
  const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
  return file && readFileSync(join(folder, file), 'utf8').trim();
};
const missing = ({ name, license, author }) => {
  if (siblings[name]) return `As in ${siblings[name]}:\n\n${licence(join('node_modules', siblings[name]))}`;
  if (license !== 'MIT' || !author) throw new Error(`${name} comes without the text of its licence; see to it in licences.mjs`);
  const text = licence('node_modules/react');
  return `MIT License\n\nCopyright (c) ${author.name ?? author}\n\n${text.slice(text.indexOf('Permission is'))}`;
};

for (const folder of [...folders].sort()) {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  console.log(`${'='.repeat(78)}\n${about.name} ${about.version}, ${about.license ?? 'licence below'}\n`);
  console.log(`${licence(folder) ?? missing(about)}\n`);
}
process.stdout.write(readFileSync('fonts.txt', 'utf8'));
