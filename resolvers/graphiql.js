const settings = JSON.parse(document.getElementById('settings').textContent);
ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: settings.endpoint }),
    defaultQuery: settings.examples[0],
    defaultTabs: settings.examples.map((query) => ({ query })),
    shouldPersistHeaders: false,
  }),
);
