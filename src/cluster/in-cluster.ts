import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { readTextIfThere } from '../text/file.ts';
import type { Environment } from './environment.ts';
import type { Access } from './kubeconfig.ts';

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The cluster whose pod we run in, by the service account that is mounted there; undefined elsewhere.
 *
 * @see https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api
 */
export async function inClusterAccess(
  environment: Environment,
  folder = SERVICE_ACCOUNT,
): Promise<Access | undefined> {
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'];
  const tokenFile = join(folder, 'token');
  if (!host || !port || (await readTextIfThere(tokenFile)) === undefined) return undefined;
  const certificateAuthority = join(folder, 'ca.crt');
  const hasAuthority = (await readTextIfThere(certificateAuthority)) !== undefined;
  const namespace = (await readTextIfThere(join(folder, 'namespace')))?.trim();
  return {
    context: 'in-cluster',
    cluster: {
      server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
      skipTlsVerify: false,
      disableCompression: false,
      ...(hasAuthority ? { certificateAuthority } : {}),
    },
    userName: 'service account',
    user: { tokenFile },
    namespace: environment['POD_NAMESPACE'] || namespace || 'default',
  };
}
