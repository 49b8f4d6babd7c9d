import { createHmac } from 'node:crypto';
import type { Credential } from './credentials.ts';

/**
 * The long-lived login of Huawei's SWR, computed from an access key and its secret key.
 *
 * @returns undefined where the host does not tell its region
 * @see https://support.huaweicloud.com/intl/en-us/usermanual-swr/swr_01_1000.html
 */
export function swrLogin(
  host: string,
  accessKey: string,
  secretKey: string,
): Credential | undefined {
  const region = /^swr\.([a-z0-9-]+)\./.exec(host)?.[1];
  if (region === undefined) return undefined;
  const password = createHmac('sha256', secretKey).update(accessKey).digest('hex');
  return { kind: 'password', username: `${region}@${accessKey}`, password };
}
