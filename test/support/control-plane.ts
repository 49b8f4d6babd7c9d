import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certified, certify, pem } from './certificates-x509.ts';
import type { ControlPlaneBinaries } from './control-plane-binaries.ts';
import { startApiServer, startEtcd, untilReady } from './control-plane-programs.ts';
import { type RunningProcess, run } from './process.ts';

export { findControlPlane } from './control-plane-binaries.ts';

/** A real API server with its etcd on loopback: no nodes, no controllers, so objects stay as they are put. */
export interface ControlPlane {
  /** https://127.0.0.1:port */
  readonly server: string;
  /** of etcd, http://127.0.0.1:port */
  readonly etcd: string;
  /** PEM of the authority that signed the server's certificate */
  readonly authority: string;
  readonly folder: string;
  /** of a cluster administrator */
  readonly kubeconfig: string;
  /** a token that the server takes for an administrator's */
  readonly adminToken: string;
  /** Runs the real kubectl as administrator. @throws {Error} with what kubectl said */
  kubectl(parameters: readonly string[], input?: string): Promise<string>;
  /** A client certificate for a user who may do nothing yet. */
  certificateFor(user: string): { readonly certificate: string; readonly key: string };
  /** Writes a kubeconfig file for a user's login, and gives its path. */
  writeKubeconfig(name: string, user: object, cluster?: object): Promise<string>;
  end(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** more of them for kube-apiserver */
  readonly parameters?: readonly string[];
}

const LOOPBACK = Buffer.of(127, 0, 0, 1);
const ADMIN_TOKEN = 'token-of-the-administrator';

/** Starts etcd and kube-apiserver as controller-runtime's envtest does, and waits until both are ready. */
export async function startControlPlane(
  binaries: ControlPlaneBinaries,
  { parameters = [] }: ControlPlaneOptions = {},
): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-'));
  const started: RunningProcess[] = [];
  const end = async () => {
    for (const program of started.toReversed()) await program.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const authority = certify({ name: 'control plane authority' });
    await writeFiles(folder, authority);
    const [etcdPort, peerPort, port] = await freePorts(3);
    const etcd = `http://127.0.0.1:${etcdPort}`;
    const server = `https://127.0.0.1:${port}`;
    started.push(await startEtcd(binaries.etcd, folder, etcd, `http://127.0.0.1:${peerPort}`));
    started.push(await startApiServer(binaries.apiServer, folder, server, etcd, parameters));
    const certificate = pem('CERTIFICATE', authority.certificate);
    await untilReady(server, certificate, ADMIN_TOKEN);
    const writeKubeconfig = kubeconfigWriter(folder, server, certificate);
    const kubeconfig = await writeKubeconfig('admin', { token: ADMIN_TOKEN });
    return {
      server,
      etcd,
      authority: certificate,
      folder,
      kubeconfig,
      adminToken: ADMIN_TOKEN,
      kubectl: (parameters, input) => kubectl(binaries.kubectl, kubeconfig, parameters, input),
      certificateFor: (user) => pemOf(certify({ name: user, issuer: authority })),
      writeKubeconfig,
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function writeFiles(folder: string, authority: Certified): Promise<void> {
  const server = certify({
    name: 'kube-apiserver',
    issuer: authority,
    hosts: ['localhost', 'kubernetes.default.svc'],
    addresses: [LOOPBACK],
  });
  const signer = certify({ name: 'service accounts' });
  const files = {
    'authority.crt': pem('CERTIFICATE', authority.certificate),
    'server.crt': pemOf(server).certificate,
    'server.key': pemOf(server).key,
    'service-accounts.crt': pemOf(signer).certificate,
    'service-accounts.key': pemOf(signer).key,
    'tokens.csv': `${ADMIN_TOKEN},administrator,1,"system:masters"\n`,
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), content, { mode: 0o600 });
}

function kubeconfigWriter(folder: string, server: string, authority: string) {
  const certificateAuthority = Buffer.from(authority).toString('base64');
  return async (name: string, user: object, cluster: object = {}): Promise<string> => {
    const path = join(folder, `${name}.kubeconfig`);
    const trusted = { server, 'certificate-authority-data': certificateAuthority };
    const content = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [{ name: 'test', cluster: { ...trusted, ...cluster } }],
      users: [{ name, user }],
      contexts: [{ name, context: { cluster: 'test', user: name } }],
    };
    await writeFile(path, JSON.stringify(content), { mode: 0o600 });
    return path;
  };
}

async function kubectl(
  command: string,
  kubeconfig: string,
  parameters: readonly string[],
  input: string | undefined,
): Promise<string> {
  const { code, stdout, stderr } = await run(
    command,
    [`--kubeconfig=${kubeconfig}`, ...parameters],
    {
      ...(input === undefined ? {} : { input }),
    },
  );
  if (code === 0) return stdout;
  throw new Error(`kubectl ${parameters.join(' ')}: ${stderr}`);
}

function pemOf({ certificate, key }: Certified): { certificate: string; key: string } {
  return {
    certificate: pem('CERTIFICATE', certificate),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Ports that are free now; all are held until the last is known, so that they differ. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
