// Holds a server to the checks of graphql-http: https://github.com/graphql/graphql-http. All of them, those of SHOULD and MAY too.
import { serverAudits } from 'graphql-http';

const url = process.argv[2];
if (!url) throw new Error('usage: audit URL');
let failed = 0;
const audits = serverAudits({ url });
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === 'ok') continue;
  failed++;
  console.error(`${result.status}: ${audit.id} ${audit.name}: ${result.reason}`);
}
console.log(`GraphQL over HTTP: ${audits.length} checks, ${failed} not met`);
if (failed > 0 || audits.length < 61) process.exit(1);
