import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { InvalidListError, pages } from '../../src/registry/pages.ts';
import type { HttpRequest, HttpResponse } from '../../src/registry/transport.ts';
import { pushImage } from '../support/images.ts';
import { startRegistry } from '../support/registry.ts';
import type { RegistryOptions } from '../support/registry-options.ts';
import { failureOf, openBare } from './opening.ts';

const TAGS = ['a', 'b', 'c', 'd', 'e'];

async function begin(context: TestContext, options: RegistryOptions = {}) {
  const registry = await startRegistry({ pageSize: 2, ...options });
  context.after(() => registry.close());
  for (const tag of TAGS)
    await pushImage(registry, { repository: 'team/app', tag, seed: 's', layers: 0 });
  const list = () => Array.fromAsync(openBare(context, registry).listTags());
  return { registry, list };
}

describe('a list of several pages', () => {
  for (const relativeLocations of [true, false])
    test(`is read to its end, by ${relativeLocations ? 'relative' : 'absolute'} links`, async (context) => {
      const { registry, list } = await begin(context, { relativeLocations });

      const tags = await list();

      assert.deepEqual(tags, TAGS);
      assert.equal(registry.log.count('GET', 'tags'), 3);
      assert.equal(registry.log.records[0]?.query.get('n'), '1000');
    });

  for (const link of [
    '</v2/team/app/tags/list?last=d>; rel=next',
    '</other>; rel="prev", </v2/team/app/tags/list?last=d>;  REL="next"; title="x"',
    '<?last=d>;rel="next"',
  ])
    test(`goes on by ${link}`, async (context) => {
      const { registry, list } = await begin(context, { pageSize: 100 });
      registry.faults.add({ class: 'tags', nth: 1, headers: { link } });

      const tags = await list();

      assert.deepEqual(tags, [...TAGS, 'e']);
    });

  for (const link of ['nonsense', '<>', '</x>; rel="prev"', '<http://[>; rel="next"', ''])
    test(`ends at the link ${JSON.stringify(link)}`, async (context) => {
      const { registry, list } = await begin(context, { pageSize: 100 });
      registry.faults.add({ class: 'tags', headers: { link } });

      assert.deepEqual(await list(), TAGS);
    });

  test('is not followed to another origin', async (context) => {
    const { registry, list } = await begin(context);
    const link = '<http://127.0.0.1:1/v2/team/app/tags/list>; rel="next"';
    registry.faults.add({ class: 'tags', headers: { link } });

    const error = await failureOf(list());

    assert.ok(error instanceof InvalidListError);
    assert.match(error.message, new RegExp(`^${registry.host} continues its list on another host`));
  });

  test('that leads back to where it was ends there', async (context) => {
    const { registry, list } = await begin(context);
    registry.faults.add({
      class: 'tags',
      headers: { link: '</v2/team/app/tags/list?last=b>; rel="next"' },
    });

    const tags = await list();

    assert.deepEqual(tags, ['a', 'b', 'c', 'd', 'e'].slice(0, tags.length));
    assert.equal(registry.log.count('GET', 'tags'), 2);
  });

  test('passes on what went wrong with a later page', async (context) => {
    const { registry, list } = await begin(context);
    registry.faults.add({ class: 'tags', nth: 2, answer: { status: 403, code: 'DENIED' } });

    const error = await failureOf(list());

    assert.match(error.message, /answered 403 to GET \/v2\/team\/app\/tags\/list \(DENIED/);
  });

  test('that never ends is given up', async () => {
    let asked = 0;
    const endless = async ({ url }: HttpRequest): Promise<HttpResponse> => {
      asked += 1;
      return {
        ...{ status: 200, url, discard: async () => undefined },
        header: (name) => (name === 'link' ? `<?last=${asked}>; rel="next"` : undefined),
        body: (async function* () {
          yield Buffer.from('{}');
        })(),
      };
    };

    const error = await failureOf(
      Array.fromAsync(pages(new URL('https://r.example/v2/'), endless)),
    );

    assert.ok(error instanceof InvalidListError);
    assert.match(error.message, /r\.example lists without an end/);
    assert.equal(asked, 10_000);
  });
});
