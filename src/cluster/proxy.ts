import { BlockList, isIP } from 'node:net';
import type { Environment } from './environment.ts';
import { ClusterError } from './errors.ts';
import type { Access } from './kubeconfig.ts';

/**
 * The proxy between us and the server: the one that the kubeconfig names, else that of the environment.
 *
 * @throws {ClusterError} its address is of no use; it is not repeated, since it may hold a password
 */
export function proxyOf(
  { cluster, context }: Access,
  environment: Environment,
): string | undefined {
  const proxy = cluster.proxyUrl ?? proxyFor(new URL(cluster.server), environment);
  if (proxy === undefined || (URL.canParse(proxy) && /^(?:https?|socks5):\/\/./.test(proxy)))
    return proxy;
  const source = cluster.proxyUrl
    ? 'the proxy-url in the kubeconfig'
    : 'the proxy of the environment';
  throw new ClusterError('configuration', `${source} is no address of a proxy`, {
    context,
    hint: 'Write it as http://, https:// or socks5://host:port.',
  });
}

/**
 * The proxy that the environment names for a server, by the rules of Go's net/http, which kubectl follows:
 * HTTPS_PROXY or HTTP_PROXY, but not for loopback, nor for what NO_PROXY lists.
 *
 * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy
 */
export function proxyFor(server: URL, environment: Environment): string | undefined {
  const name = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = environment[name] || environment[name.toLowerCase()];
  if (!proxy) return undefined;
  const host = server.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || isInside(host, '127.0.0.0/8') || host === '::1') return undefined;
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  const exceptions = (environment['NO_PROXY'] || environment['no_proxy'] || '').split(',');
  if (exceptions.some((exception) => isExcepted(exception.trim().toLowerCase(), host, port)))
    return undefined;
  return /^[a-z0-9]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function isExcepted(exception: string, host: string, port: string): boolean {
  if (exception === '') return false;
  if (exception === '*') return true;
  if (isInside(host, exception)) return true;
  const [, written = '', onlyPort] = /^(.*?)(?::(\d+))?$/.exec(exception) ?? [];
  const whole = isIP(exception) ? exception : written.replace(/^\[|\]$/g, '');
  if (!isIP(exception) && onlyPort !== undefined && onlyPort !== port) return false;
  const domain = whole.replace(/^\*\./, '.');
  if (domain === '') return false;
  if (domain.startsWith('.')) return host.endsWith(domain);
  return host === domain || (!isIP(domain) && host.endsWith(`.${domain}`));
}

/** Whether an address lies in a network such as `10.0.0.0/8`; anything else lies in none. */
function isInside(address: string, network: string): boolean {
  const [base = '', length = ''] = network.split('/');
  const family = isIP(base);
  if (!family || family !== isIP(address) || !/^\d{1,3}$/.test(length)) return false;
  if (Number(length) > (family === 6 ? 128 : 32)) return false;
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(base, Number(length), type);
  return list.check(address, type);
}
