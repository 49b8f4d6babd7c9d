import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { type ConnectOptions, connect } from '../../src/cluster/connect.ts';
import { PODS } from '../../src/cluster/resources.ts';
import { scan } from '../../src/cluster/scan.ts';

interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

// What a real API server does only after minutes, or under load, comes from a script here.
let folder: string;
let server: Server;
let script: (Answer | ((response: ServerResponse) => void))[];
let asked: string[];
let answerAll: ((path: string) => Answer) | undefined;
let cluster: Cluster | undefined;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pages-'));
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const answer = answerAll?.(request.url ?? '') ??
      script.shift() ?? { status: 500, body: 'the script is over' };
    if (typeof answer === 'function') return answer(response);
    const body = Buffer.from(
      typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body),
    );
    response.writeHead(answer.status ?? 200, answer.headers ?? {});
    response.end(answer.headers?.['content-encoding'] === 'gzip' ? gzipSync(body) : body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  answerAll = undefined;
  await cluster?.close();
});
after(async () => {
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
});

function page(names: readonly string[], next?: string): Answer {
  const metadata = next === undefined ? {} : { continue: next };
  return { body: { kind: 'PodList', metadata, items: names.map((name) => ({ name })) } };
}

function gone(next?: string): Answer {
  const metadata = next === undefined ? {} : { continue: next };
  return {
    status: 410,
    body: {
      kind: 'Status',
      metadata,
      reason: 'Expired',
      message: 'The provided continue parameter is too old',
    },
  };
}

function forbidden(message: string): Answer {
  return { status: 403, body: { kind: 'Status', message } };
}

async function list(
  answers: typeof script,
  options: ConnectOptions = {},
): Promise<readonly string[]> {
  script = answers;
  asked = [];
  const { port } = server.address() as AddressInfo;
  const kubeconfig = join(folder, 'config');
  const content = {
    'current-context': 'script',
    clusters: [{ name: 'script', cluster: { server: `http://127.0.0.1:${port}/base/` } }],
    contexts: [{ name: 'script', context: { cluster: 'script' } }],
  };
  await writeFile(kubeconfig, JSON.stringify(content));
  cluster = await connect({ kubeconfig, environment: {}, pageSize: 2, ...options });
  const names: string[] = [];
  for await (const object of cluster.list(PODS)) names.push((object as { name: string }).name);
  return names;
}

const PATH = '/base/api/v1/pods?limit=2';

describe('a list', () => {
  it('goes on until the server gives no further place', async () => {
    const names = await list([page(['a', 'b'], 'p 2'), page(['c', 'd'], 'p3'), page(['e'])]);

    assert.deepEqual(names, ['a', 'b', 'c', 'd', 'e']);
    assert.deepEqual(asked, [PATH, `${PATH}&continue=p+2`, `${PATH}&continue=p3`]);
  });

  it('goes on at the newer place that an expired one is answered with', async () => {
    const names = await list([page(['a'], 'old'), gone('newer'), page(['b'])]);

    assert.deepEqual(names, ['a', 'b']);
    assert.deepEqual(asked.slice(1), [`${PATH}&continue=old`, `${PATH}&continue=newer`]);
  });

  it('may go on elsewhere more than once, as long as pages come between', async () => {
    const names = await list([
      page(['a'], '1'),
      gone('2'),
      page(['b'], '3'),
      gone('4'),
      page(['c']),
    ]);

    assert.deepEqual(names, ['a', 'b', 'c']);
  });

  it('starts again once where the server knows no newer place', async () => {
    const names = await list([page(['a'], 'old'), gone(), page(['a'], 'new'), page(['b'])]);

    assert.deepEqual(names, ['a', 'a', 'b']);
    assert.deepEqual(asked, [PATH, `${PATH}&continue=old`, PATH, `${PATH}&continue=new`]);
  });

  it('is given up where it expires again and again', async () => {
    const answers = [page(['a'], '1'), gone(), page(['a'], '2'), gone(), page(['never'])];

    await assert.rejects(list(answers), {
      reason: 'refused',
      resource: 'pods',
      message: 'cannot list pods of context "script": The provided continue parameter is too old',
    });
  });

  it('is given up where every newer place has expired, too', async () => {
    const answers = [page(['a'], '1'), ...Array.from({ length: 9 }, () => gone('x'))];

    await assert.rejects(list(answers), { reason: 'refused' });
    assert.ok(asked.length < 9);
  });

  it('waits for a busy server as long as that asks', async () => {
    const busy = { status: 429, headers: { 'retry-after': '0' }, body: {} };

    const names = await list([busy, busy, page(['a'])]);

    assert.deepEqual(names, ['a']);
  });

  it('does not wait for ever', async () => {
    const busy = { status: 503, headers: { 'retry-after': '0' }, body: { message: 'overloaded' } };

    await assert.rejects(list(Array.from({ length: 20 }, () => busy)), {
      reason: 'refused',
      said: 'overloaded',
    });
    assert.equal(asked.length, 5);
  });

  it('is asked for again where a kept-alive connection breaks', async () => {
    const names = await list([(response) => response.destroy(), page(['a'])]);

    assert.deepEqual(names, ['a']);
  });

  it('may come compressed', async () => {
    const names = await list([{ ...page(['a']), headers: { 'content-encoding': 'gzip' } }]);

    assert.deepEqual(names, ['a']);
  });

  it('that is refused says why, in the words of the server and without its control characters', async () => {
    await assert.rejects(list([forbidden('pods is forbidden:\u001b[31m no')]), {
      reason: 'forbidden',
      verb: 'list',
      resource: 'pods',
      context: 'script',
      said: 'pods is forbidden: [31m no',
      hint: 'Ask for the right to list pods, or choose others with -n.',
    });
  });

  it('is not taken from a server that answers something else', async () => {
    await assert.rejects(list([{ body: '<html>Please log in</html>' }]), {
      reason: 'refused',
      said: 'it answered 200 without a list',
    });
  });

  it('is missing where the server does not know the resource', async () => {
    await assert.rejects(list([{ status: 404, body: 'not found' }]), { reason: 'missing' });
  });

  it('ends with one line where the server does not answer in time', async () => {
    const { port } = server.address() as AddressInfo;

    await assert.rejects(list([() => undefined], { requestTimeout: '50ms' }), {
      reason: 'unreachable',
      message: `cannot reach the API server http://127.0.0.1:${port}/base/ of context "script": no answer within 0.05 s`,
    });
  });
});

describe('a scan', () => {
  it('fails where the server has nothing that Kubernetes has, and is another server', async () => {
    await assert.rejects(list([]), { reason: 'refused' });
    script = Array.from({ length: 9 }, () => ({ status: 404, body: 'not found' }));
    assert.ok(cluster);

    await assert.rejects(scan(cluster), {
      reason: 'missing',
      said: 'it answered 404 without a list',
    });
  });

  it('goes on where the server lacks one kind, and says so', async () => {
    await assert.rejects(list([]), { reason: 'refused' });
    const empty = (path: string): Answer =>
      path.includes('cronjobs')
        ? { status: 404, body: { message: 'the server could not find the requested resource' } }
        : page([]);
    answerAll = empty;
    assert.ok(cluster);

    const { images, unreadable } = await scan(cluster);

    assert.deepEqual(images, []);
    assert.deepEqual(unreadable, [
      { resource: 'cronjobs.batch', reason: 'the server could not find the requested resource' },
    ]);
  });
});
