/** Owns the page at `/` that links to the documents. */

const LINKS: readonly (readonly [path: string, title: string])[] = [
  ['varz', 'General'],
  ['jsz', 'JetStream'],
  ['connz', 'Connections'],
  ['accountz', 'Accounts'],
  ['accstatz', 'Account statistics'],
  ['subsz', 'Subscriptions'],
  ['routez', 'Routes'],
  ['leafz', 'Leaf nodes'],
  ['gatewayz', 'Gateways'],
  ['raftz', 'Raft groups'],
  ['healthz', 'Health probe'],
  ['metrics', 'Prometheus metrics'],
  ['debug/vars', 'Process'],
];

/** Links are relative, so that they work behind a base path. */
export function indexPage(serverName: string): string {
  const items = LINKS.map(([path, title]) => `<li><a href="./${path}">${title}</a> <code>/${path}</code></li>`);
  const name = serverName.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Millrace ${name}</title></head>
<body>
<h1>Millrace: ${name}</h1>
<ul>
${items.join('\n')}
</ul>
</body>
</html>
`;
}
