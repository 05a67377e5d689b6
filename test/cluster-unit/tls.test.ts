import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TlsOptions } from '../../src/cluster/index.ts';
import { nodeId, startLinks, until } from './link-harness.ts';

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Makes certificates with the openssl command; each authority has one node, for 127.0.0.1. */
class Authority {
  readonly #directory: string;

  constructor(directory: string, name: string) {
    this.#directory = join(directory, name);
    const { ca, caKey, request, key, certificate, names } = this.#files();
    openssl('req', '-x509', ...NEW_KEY, '-keyout', caKey, '-out', ca, '-days', '2', '-subj', `/CN=${name}`);
    openssl('req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', '/CN=node');
    writeFileSync(names, 'subjectAltName=IP:127.0.0.1');
    const by = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial'];
    openssl('x509', '-req', '-in', request, ...by, '-out', certificate, '-days', '2', '-extfile', names);
  }

  get tls(): TlsOptions {
    const { ca, key, certificate } = this.#files();
    return { ca: readFileSync(ca), key: readFileSync(key), certificate: readFileSync(certificate) };
  }

  #files(): { readonly [name in 'ca' | 'caKey' | 'request' | 'key' | 'certificate' | 'names']: string } {
    const file = (ending: string): string => `${this.#directory}-${ending}`;
    return {
      ca: file('ca.pem'),
      caKey: file('ca.key'),
      request: file('node.csr'),
      key: file('node.key'),
      certificate: file('node.pem'),
      names: file('names'),
    };
  }
}

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args);
  assert.equal(status, 0, stderr.toString());
}

const skip = spawnSync('openssl', ['version']).status === 0 ? false : 'needs openssl';

test('with mutual TLS only nodes with a certificate of the right authority link up', { skip }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  try {
    const right = new Authority(directory, 'right').tls;
    const wrong = new Authority(directory, 'wrong').tls;
    const nodes = await Promise.all([
      startLinks('n1', { tls: right }),
      startLinks('n2', { tls: right }),
      startLinks('n3', { tls: { ...wrong, ca: right.ca } }),
      startLinks('n4'),
    ]);
    const [n1, n2, otherAuthority, plain] = nodes;
    n1.links.connect(nodeId('n2'), n2.address);
    await until('both are up', () => n1.links.isUp(nodeId('n2')) && n2.links.isUp(nodeId('n1')));
    await assert.rejects(otherAuthority.links.greet(n1.address));
    await assert.rejects(plain.links.greet(n1.address));
    assert.deepEqual([...new Set(n1.introduced.map(({ node }) => node))], ['n2']);
    await Promise.all(nodes.map(({ links }) => links.stop()));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
