import { createRoot } from 'react-dom/client';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import 'graphiql/graphiql.css';

const settings = JSON.parse(document.getElementById('settings').textContent);
const endpoint = new URL(settings.endpoint, location.href);
const socket = new URL(endpoint);
socket.protocol = endpoint.protocol === 'https:' ? 'wss:' : 'ws:';

// The token of the header editor goes with subscriptions too: a WebSocket has no headers, so that it travels in
// connection_init.
const fetcher = (params, options) =>
  createGraphiQLFetcher({
    url: endpoint.href,
    subscriptionUrl: socket.href,
    wsConnectionParams: options?.headers ?? {},
  })(params, options);

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultQuery={settings.examples[0]}
    defaultTabs={settings.examples.map((query) => ({ query }))}
    shouldPersistHeaders={false}
    isHeadersEditorEnabled
  />,
);
