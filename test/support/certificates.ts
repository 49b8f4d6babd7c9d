import type { KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certify, pem } from './certificates-x509.ts';

/** An authority and a server certificate of it for localhost, 127.0.0.1 and ::1, made for one test run. */
export interface Certificates {
  /** the authority, PEM */
  readonly authority: string;
  /** the server's certificate, PEM */
  readonly certificate: string;
  /** the server's key, PEM */
  readonly key: string;
  /** the same three as files */
  readonly files: {
    readonly authority: string;
    readonly certificate: string;
    readonly key: string;
  };
  /** Removes the files. */
  remove(): Promise<void>;
}

const LOOPBACK_4 = Buffer.of(127, 0, 0, 1);
const LOOPBACK_6 = Buffer.concat([Buffer.alloc(15), Buffer.of(1)]);

/** Makes an authority and a server certificate, also as files in a temporary folder. */
export async function makeCertificates(): Promise<Certificates> {
  const issuer = certify({ name: 'test authority' });
  const server = certify({
    name: 'test server',
    issuer,
    hosts: ['localhost'],
    addresses: [LOOPBACK_4, LOOPBACK_6],
  });
  const authority = pem('CERTIFICATE', issuer.certificate);
  const certificate = pem('CERTIFICATE', server.certificate);
  const key = keyPem(server.key);
  const folder = await mkdtemp(join(tmpdir(), 'certificates-'));
  const files = {
    authority: join(folder, 'authority.pem'),
    certificate: join(folder, 'certificate.pem'),
    key: join(folder, 'key.pem'),
  };
  await writeFile(files.authority, authority);
  await writeFile(files.certificate, certificate);
  await writeFile(files.key, key, { mode: 0o600 });
  const remove = () => rm(folder, { recursive: true, force: true });
  return { authority, certificate, key, files, remove };
}

function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
