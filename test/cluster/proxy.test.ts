import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { proxyFor, proxyOf } from '../../src/cluster/proxy.ts';

const PROXY = 'http://proxy.example:3128';

function proxied(server: string, exceptions: string): boolean {
  const environment = { HTTPS_PROXY: PROXY, NO_PROXY: exceptions };
  return proxyFor(new URL(server), environment) === PROXY;
}

describe('the proxy of the environment', () => {
  it('is that of the scheme, upper case before lower case', () => {
    const server = new URL('https://api.example');

    assert.equal(proxyFor(server, {}), undefined);
    assert.equal(proxyFor(server, { HTTP_PROXY: PROXY }), undefined);
    assert.equal(proxyFor(server, { https_proxy: PROXY }), PROXY);
    assert.equal(proxyFor(server, { HTTPS_PROXY: PROXY, https_proxy: 'http://other' }), PROXY);
    assert.equal(proxyFor(new URL('http://api.example'), { HTTP_PROXY: PROXY }), PROXY);
  });

  it('may be written without scheme', () => {
    const environment = { HTTPS_PROXY: 'proxy.example:3128' };

    assert.equal(proxyFor(new URL('https://api.example'), environment), PROXY);
  });

  for (const server of [
    'https://localhost:6443',
    'https://127.0.0.1',
    'https://127.8.8.8',
    'https://[::1]:6443',
  ])
    it(`is never used for ${server}`, () => {
      assert.equal(proxied(server, ''), false);
    });

  const exceptions: readonly [string, string, boolean][] = [
    ['https://api.example', '*', false],
    ['https://api.example', 'example', false],
    ['https://api.example', '.example', false],
    ['https://api.example', '*.example', false],
    ['https://example', '.example', true],
    ['https://example', 'example', false],
    ['https://notexample', 'example', true],
    ['https://api.example', 'other, API.example ,', false],
    ['https://api.example:6443', 'api.example:6443', false],
    ['https://api.example:6443', 'api.example:443', true],
    ['https://api.example', 'api.example:443', false],
    ['https://10.1.2.3', '10.0.0.0/8', false],
    ['https://11.1.2.3', '10.0.0.0/8', true],
    ['https://10.1.2.3', '10.1.2.3', false],
    ['https://10.1.2.3:6443', '10.1.2.3:443', true],
    ['https://[fd00::5]', 'fd00::/8', false],
    ['https://[fd00::5]', 'fd00::5', false],
    ['https://[fd00::5]:6443', '[fd00::5]:6443', false],
    ['https://10.1.2.3', '10.0.0.0/99', true],
  ];
  for (const [server, list, expected] of exceptions)
    it(`is ${expected ? 'used' : 'left out'} for ${server} where NO_PROXY is "${list}"`, () => {
      assert.equal(proxied(server, list), expected);
    });
});

describe('the proxy of a cluster', () => {
  const through = (proxyUrl: string | undefined, environment = {}) =>
    proxyOf(
      {
        context: 'test',
        cluster: {
          server: 'https://api.example',
          skipTlsVerify: false,
          disableCompression: false,
          proxyUrl,
        },
        userName: 'ada',
        user: {},
        namespace: 'default',
      },
      environment,
    );

  it('is the one that the kubeconfig names, whatever NO_PROXY says', () => {
    const environment = { HTTPS_PROXY: 'http://other.example', NO_PROXY: '*' };

    assert.equal(through(PROXY, environment), PROXY);
    assert.equal(through('socks5://proxy.example:1080'), 'socks5://proxy.example:1080');
    assert.equal(through(undefined, { HTTPS_PROXY: PROXY }), PROXY);
    assert.equal(through(undefined), undefined);
  });

  for (const proxyUrl of ['proxy.example:3128', 'ftp://u:s3cret@proxy.example', 'http://'])
    it(`is refused where it is ${proxyUrl}, and not repeated`, () => {
      assert.throws(() => through(proxyUrl), {
        reason: 'configuration',
        message: 'the proxy-url in the kubeconfig is no address of a proxy',
      });
    });
});
