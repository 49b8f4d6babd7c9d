import type { HttpResponse } from './transport.ts';

// Nexus, Artifactory and some proxies do not do HEAD.
const REFUSED = new Set([400, 403, 405, 406, 501]);

/** Whether a registry may answer GET although it answers this to HEAD. */
export function isHeadRefused({ status }: Pick<HttpResponse, 'status'>): boolean {
  return REFUSED.has(status);
}

/** The length of what was asked for, in bytes; undefined where the answer does not say so. */
export function lengthOf(response: HttpResponse): number | undefined {
  const length = response.header('content-length');
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}
