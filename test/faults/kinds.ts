import type { Side } from '../../src/copy/errors.ts';
import type { ProxyFault } from '../support/fault-proxy-faults.ts';
import type { FaultSubject } from '../support/registry-faults.ts';
import { LARGE, OWN, SHARED } from './images.ts';

type Kind = Pick<ProxyFault, 'method' | 'class' | 'where'>;
type Effect = Omit<ProxyFault, keyof Kind>;

export const MANIFEST_HEAD: Kind = { method: 'HEAD', class: 'manifest' };
export const MANIFEST_GET: Kind = { method: 'GET', class: 'manifest' };
export const MANIFEST_PUT: Kind = { method: 'PUT', class: 'manifest' };
export const BLOB_HEAD: Kind = { method: 'HEAD', class: 'blob' };
export const BLOB_GET: Kind = { method: 'GET', class: 'blob' };
export const UPLOAD_POST: Kind = { method: 'POST', class: 'upload' };
export const MOUNT: Kind = { class: 'mount' };
export const TOKEN: Kind = { class: 'token' };

/** The request that ends an upload, whatever was sent before it. */
export const UPLOAD_END: Kind = {
  ...{ method: 'PUT', class: 'upload' },
  where: ({ query }) => query.has('digest'),
};
/** Requests for the layer that all images have, for one that one image has, and for a large one. */
export const SHARED_GET: Kind = { ...BLOB_GET, where: isOf(SHARED.digest) };
export const OWN_GET: Kind = { ...BLOB_GET, where: isOf(OWN.digest) };
export const LARGE_GET: Kind = { ...BLOB_GET, where: isOf(LARGE.digest) };
/** Those that bring all of it, by whatever method. */
export const SHARED_UPLOAD: Kind = { class: 'upload', where: carries(SHARED.size) };
export const OWN_UPLOAD: Kind = { class: 'upload', where: carries(OWN.size) };
export const LARGE_UPLOAD: Kind = { class: 'upload', where: carries(LARGE.size) };
/** Those that bring any part of it; a PATCH does not say of which blob it is, but of what repository. */
export const OWN_PIECES: Kind = {
  class: 'upload',
  where: ({ method, path, headers }) => {
    const length = Number(headers['content-length']);
    return length === OWN.size || (method === 'PATCH' && length > 0 && /\/team\/app\//.test(path));
  },
};
export const LARGE_PIECES: Kind = {
  class: 'upload',
  where: ({ headers }) => Number(headers['content-length']) >= 64 * 1024,
};
/** Those that end its upload. */
export const SHARED_END: Kind = { ...UPLOAD_END, where: ends(SHARED.digest) };
export const OWN_END: Kind = { ...UPLOAD_END, where: ends(OWN.digest) };

/** Every kind of request that a copy makes, if images are at the destination that are not the same. */
const KINDS: Readonly<Record<Side, readonly Kind[]>> = {
  source: [TOKEN, MANIFEST_HEAD, MANIFEST_GET, BLOB_GET],
  destination: [TOKEN, MANIFEST_HEAD, BLOB_HEAD, MOUNT, UPLOAD_POST, UPLOAD_END, MANIFEST_PUT],
};

/** The effect, so many times for each kind of request. */
export function forEachKind(effect: Effect): Readonly<Record<Side, readonly ProxyFault[]>> {
  const faults = (side: Side) => KINDS[side].map((kind) => ({ ...kind, ...effect }));
  return { source: faults('source'), destination: faults('destination') };
}

function carries(size: number): (subject: FaultSubject) => boolean {
  return ({ headers }) => Number(headers['content-length']) === size;
}

function ends(digest: string): (subject: FaultSubject) => boolean {
  return ({ query }) => query.get('digest') === digest;
}

function isOf(digest: string): (subject: FaultSubject) => boolean {
  return ({ path }) => path.endsWith(digest);
}
