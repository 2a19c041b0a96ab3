// Makes documents of the golden operations: one file each, named after its case, as generators want them. Cases that are
// about mistakes, whose answer has errors, are left out: a typed client could not express most of them.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parse, print } from 'graphql';

const golden = new URL('../../../resolvers/testdata/golden/', import.meta.url);
const out = new URL('./generated/operations/', import.meta.url);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const cases = [];
const left = [];
for (const name of readdirSync(golden).sort()) {
  const read = (file) => readFileSync(new URL(`${name}/${file}`, golden), 'utf8');
  const want = JSON.parse(read('want.json'));
  if (want.errors) {
    left.push(name);
    continue;
  }
  const pascal = name.replace(/(^|-)([a-z])/g, (_, __, letter) => letter.toUpperCase());
  const document = parse(read('query.graphql'));
  const operations = document.definitions.filter((d) => d.kind === 'OperationDefinition');
  if (operations.length !== 1) throw new Error(`${name}: ${operations.length} operations, and a golden case has one`);
  const named = {
    ...document,
    definitions: document.definitions.map((d) => {
      if (d.kind === 'OperationDefinition') return { ...d, name: { kind: 'Name', value: pascal } };
      return { ...d, name: { kind: 'Name', value: pascal + d.name.value } };
    }),
  };
  // Fragments of all operations share one name space.
  const text = print(named).replace(/\.\.\.(?!on\b)([A-Za-z_]\w*)/g, `...${pascal}$1`);
  writeFileSync(new URL(`${name}.graphql`, out), text + '\n');
  cases.push({ name, pascal, variables: JSON.parse(read('variables.json')), data: want.data });
}
if (cases.length < 10) throw new Error(`only ${cases.length} golden operations`);
const imports = cases.map((c) => `${c.pascal}Document`).join(', ');
// A call each, not a list of data, so that the compiler holds the variables of every case to those of its operation.
writeFileSync(
  new URL('./generated/cases.ts', import.meta.url),
  `import { ${imports} } from './graphql.js';\nimport { golden } from '../golden.js';\n\nexport const cases = [\n` +
    cases.map((c) => `  golden(${JSON.stringify(c.name)}, ${c.pascal}Document, ${JSON.stringify(c.variables ?? {})}, ${JSON.stringify(c.data)}),\n`).join('') +
    '];\n',
);
console.log(`${cases.length} golden operations; without ${left.join(', ') || 'none'}, which are about mistakes`);
