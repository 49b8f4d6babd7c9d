import type { ProxyFault } from './fault-proxy-faults.ts';

/** Where an answer comes from, and where it may send a client. */
export interface Addresses {
  /** as the client sees the registry */
  readonly origin: string;
  /** the same path, from the root, under another origin */
  readonly elsewhere: (target: string) => string;
}

/** Writes the address in a Location as the fault wants it. */
export function readdressed(
  location: string,
  address: ProxyFault['address'],
  { origin, elsewhere }: Addresses,
): string {
  const url = new URL(location, origin);
  const target = `${url.pathname}${url.search}`;
  switch (address) {
    case 'relative':
      return target;
    case 'absolute':
      return url.href;
    case 'with a query':
      // Not a valid pair for URLSearchParams to write anew: what is sent back must be what was given.
      return `${url.href}${url.search ? '&' : '?'}upload=a+b%2F~*`;
    case 'elsewhere':
      return elsewhere(target);
    default:
      return location;
  }
}

/** The same for the address within a Link header. */
export function relinked(
  link: string,
  address: ProxyFault['address'],
  addresses: Addresses,
): string {
  return link.replace(/<([^>]*)>/, (_, target) => `<${readdressed(target, address, addresses)}>`);
}
