import type { Layer, Transport } from './transport.ts';

const MAXIMUM_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Follows redirects of GET and HEAD. On the way to another origin the Authorization header stays behind, and
 * the registry's own TLS settings too: `foreign` is the transport for everybody else.
 *
 * Blobs of nearly every cloud registry come from a storage service with a signed address.
 */
export function redirected(foreign: Transport): Layer {
  return (next) => async (request) => {
    const { origin } = request.url;
    let response = await next(request);
    if (request.method !== 'GET' && request.method !== 'HEAD') return response;
    for (let hop = 0; hop < MAXIMUM_REDIRECTS && REDIRECTS.has(response.status); hop += 1) {
      const location = response.header('location');
      if (location === undefined || !URL.canParse(location, response.url.href)) break;
      const url = new URL(location, response.url);
      if (!/^https?:$/.test(url.protocol)) break;
      await response.discard();
      const home = url.origin === origin;
      const { authorization: _, ...bare } = request.headers ?? {};
      const headers = home ? (request.headers ?? {}) : bare;
      response = await (home ? next : foreign)({ ...request, url, headers });
    }
    return response;
  };
}

/**
 * A layer that lets requests to other origins go by `foreign`, without any login: an upload's Location may
 * name another host, which must not learn who we are.
 */
export function within(origin: string, foreign: Transport): Layer {
  return (next) => (request) => (request.url.origin === origin ? next : foreign)(request);
}
