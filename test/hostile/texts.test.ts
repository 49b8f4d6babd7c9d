import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Desk, openDesk } from '../support/cli.ts';
import { makeLayer } from '../support/images-layer.ts';
import { startRegistry } from '../support/registry.ts';
import { give, image, madeUp, type Served } from './contents.ts';
import { EVIL, longestLineOf, rawIn } from './evil.ts';
import { type Behavior, meet } from './stranger.ts';
import { BASIC, loggedIn } from './visit.ts';

const LONGEST_LINE = 1_500;
const LAYER = makeLayer('layer');

/** A desk with one rule, `team/app` of a source that does what a test wants. */
async function setUpSource(context: TestContext, behavior: Behavior, tag = ':v1'): Promise<Desk> {
  const source = await meet(context, behavior);
  const destination = await startRegistry();
  context.after(() => destination.close());
  const desk = await openDesk();
  context.after(() => desk.close());
  const login = { username: 'me', password: 'hunter2', insecure: true };
  const auth = { [source.host]: login, [destination.host]: { insecure: true } };
  await desk.write('auth.json', JSON.stringify(auth));
  const rule = { [`${source.host}/team/app${tag}`]: `${destination.host}/moved/app` };
  await desk.write('images.json', JSON.stringify(rule));
  return desk;
}

/** Runs a copy; gives all that it wrote. */
async function copied(desk: Desk): Promise<readonly string[]> {
  const { stdout, stderr } = await desk.run(['copy', '-r', '0', '-o', 'json']);
  return [stdout, stderr, await desk.read('image-migrator.log')];
}

/** A manifest, and the bytes of {@link LAYER} as its only blob. */
const withLayer =
  (manifest: Served): Behavior =>
  ({ url = '' }, response) => {
    if (url.endsWith(LAYER.digest)) response.end(LAYER.bytes);
    else if (url.includes('/blobs/')) response.writeHead(404).end();
    else give(response, manifest);
  };

test('The media type of a blob is not logged as it is', async (context) => {
  const { digest, size } = LAYER;
  const layer = { digest, size, mediaType: `${EVIL}${'x'.repeat(50_000)}` };
  const desk = await setUpSource(context, withLayer(image({ layers: [layer] })));

  for (const text of await copied(desk)) {
    assert.equal(rawIn(text), undefined);
    assert.ok(longestLineOf(text) < LONGEST_LINE, `${longestLineOf(text)} characters`);
  }
});

test('The address of a foreign layer is noted neither as it is nor at any length', async (context) => {
  const urls = [`${EVIL}${'x'.repeat(50_000)}`];
  const layer = { digest: madeUp(1), size: 1, urls };
  const desk = await setUpSource(context, withLayer(image({ layers: [layer] })));

  const texts = [
    ...(await copied(desk)),
    (await desk.run(['copy', 'verify', '-o', 'json'])).stdout,
  ];

  for (const text of texts) {
    assert.equal(rawIn(text), undefined);
    assert.ok(longestLineOf(text) < LONGEST_LINE, `${longestLineOf(text)} characters`);
  }
});

test('A rule whose tags cannot be listed says so in a line of sane length', async (context) => {
  const desk = await setUpSource(
    context,
    ({ url = '' }, response) => {
      const location = `/${'x'.repeat(10_000)}`;
      if (url.endsWith('tags/list?n=1000')) response.writeHead(307, { location }).end();
      else response.writeHead(url === '/v2/' ? 200 : 404).end();
    },
    '',
  );

  for (const text of await copied(desk))
    assert.ok(longestLineOf(text) < LONGEST_LINE, `${longestLineOf(text)} characters`);
});

test('A login that a server repeats is not shown', async (context) => {
  const message = `the header "Authorization: ${BASIC}" is not welcome`;
  const body = JSON.stringify({ errors: [{ code: 'DENIED', message }] });
  const desk = await setUpSource(
    context,
    loggedIn((_, response) => response.writeHead(403).end(body)),
  );

  for (const text of await copied(desk)) assert.ok(!text.includes(BASIC.slice(6)), text);
});

test('The signature of an address that a server names is not shown', async (context) => {
  const message = 'Get "https://storage.example/x?X-Amz-Signature=51c0ffee&X-Amz-Date=1": EOF';
  const body = JSON.stringify({ errors: [{ code: 'UNKNOWN', message }] });
  const desk = await setUpSource(
    context,
    loggedIn((_, response) => response.writeHead(400).end(body)),
  );

  for (const text of await copied(desk)) assert.ok(!text.includes('51c0ffee'), text);
});

test('A redirect to what is no HTTP is an answer of the registry, and says which one', async (context) => {
  const desk = await setUpSource(
    context,
    loggedIn((_, response) => response.writeHead(307, { location: 'file:///etc/passwd' }).end()),
  );

  const [report = ''] = await copied(desk);

  assert.match(report, /"message": "source: 127\.0\.0\.1:\d+ answered 307 to /);
});

test('Names of workloads are not shown as they are', async (context) => {
  const desk = await openDesk();
  context.after(() => desk.close());
  const container = { name: EVIL, image: 'nginx:1' };
  const strange = { name: 'c', image: 'no image' };
  await desk.write(
    'pod.json',
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: EVIL, namespace: EVIL },
      spec: { containers: [container, strange] },
    }),
  );

  for (const form of ['table', 'wide']) {
    const { stdout, stderr } = await desk.run(['scan', '-f', 'pod.json', '-o', form]);
    assert.ok(stdout.includes('EVIL') && stderr.includes('EVIL'));
    assert.equal(rawIn(stdout), undefined);
    assert.equal(rawIn(stderr), undefined);
  }
});
