import { once } from 'node:events';
import { get } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type RunningProcess, startProcess } from './process.ts';

const MAXIMUM_POLLS = 600;

export function startEtcd(
  command: string,
  folder: string,
  client: string,
  peer: string,
): Promise<RunningProcess> {
  return startProcess({
    command,
    arguments: [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      '--unsafe-no-fsync=true',
    ],
    ready: /ready to serve client requests/,
  });
}

export function startApiServer(
  command: string,
  folder: string,
  server: string,
  etcd: string,
  more: readonly string[],
): Promise<RunningProcess> {
  const file = (name: string) => join(folder, name);
  return startProcess({
    command,
    arguments: [
      '--bind-address=127.0.0.1',
      `--secure-port=${new URL(server).port}`,
      `--etcd-servers=${etcd}`,
      `--cert-dir=${folder}`,
      `--tls-cert-file=${file('server.crt')}`,
      `--tls-private-key-file=${file('server.key')}`,
      `--client-ca-file=${file('authority.crt')}`,
      `--token-auth-file=${file('tokens.csv')}`,
      '--authorization-mode=RBAC',
      `--service-account-issuer=${server}/`,
      `--service-account-key-file=${file('service-accounts.crt')}`,
      `--service-account-signing-key-file=${file('service-accounts.key')}`,
      '--service-cluster-ip-range=10.0.0.0/24',
      '--disable-admission-plugins=ServiceAccount',
      '--endpoint-reconciler-type=none',
      '--allow-privileged=true',
      ...more,
    ],
    ready: /Serving securely on/,
  });
}

/** The server listens before its roles and its namespace `default` are there. */
export async function untilReady(server: string, ca: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const isOk = async (path: string): Promise<boolean> => {
    const request = get(`${server}${path}`, { ca, headers, agent: false });
    const [response] = await once(request, 'response').catch(() => [undefined]);
    response?.resume();
    return response?.statusCode === 200;
  };
  for (let poll = 0; poll < MAXIMUM_POLLS; poll += 1) {
    if ((await isOk('/readyz')) && (await isOk('/api/v1/namespaces/default'))) return;
    await delay(100);
  }
  throw new Error('the API server did not become ready');
}
