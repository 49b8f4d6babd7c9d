import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linksOf } from '../../src/oci/manifest.ts';
import { reportIn } from '../commands/move.ts';
import { openDesk } from '../support/cli.ts';
import { startRegistry } from '../support/registry.ts';
import { holding, image, madeUp, served } from './contents.ts';
import { meet } from './stranger.ts';

const DEEP = 1_000_000;
const LISTS = `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`;

for (const [what, text] of Object.entries({
  digest: `{"layers":[{"size":1,"digest":${LISTS}}]}`,
  size: `{"layers":[{"digest":"${madeUp(1)}","size":${LISTS}}]}`,
}))
  test(`A ${what} that is nested without end is a fault of the manifest`, () => {
    const { bytes, digest, mediaType } = served(text);

    assert.throws(() => linksOf({ bytes, descriptor: { digest, mediaType, size: bytes.length } }), {
      name: 'InvalidManifestError',
    });
  });

for (const [what, mediaType] of Object.entries({
  'more than one line': 'application/x+json\r\nx-evil: 1',
  'what no header can hold': 'application/x+json\u0000\u{1f600}',
  'thousands of characters': `application/${'x'.repeat(20_000)}`,
}))
  test(`A media type of ${what} is a fault of the manifest, not of the destination`, async (context) => {
    const source = await meet(context, holding(image({ mediaType })));
    const destination = await startRegistry();
    context.after(() => destination.close());
    const desk = await openDesk();
    context.after(() => desk.close());
    const insecure = { insecure: true };
    const auth = { [source.host]: insecure, [destination.host]: insecure };
    await desk.write('auth.json', JSON.stringify(auth));
    const rule = { [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` };
    await desk.write('images.json', JSON.stringify(rule));

    const finished = await desk.run(['copy', '-r', '0', '-o', 'json']);

    const [failed] = reportIn(finished).images;
    assert.equal(failed?.error?.code, 'MANIFEST_INVALID');
    assert.match(failed.error.message, /^source: /);
  });
