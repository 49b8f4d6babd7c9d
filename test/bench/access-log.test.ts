import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readTraffic } from './access-log.ts';

const access = (request: string, status: number, bytes: number, agent = 'tool/1') =>
  `127.0.0.1 - - [24/Nov/2026:07:00:48 +0000] "${request} HTTP/1.1" ${status} ${bytes} "" "${agent}"`;
const structured = (port: number, agent = 'tool/1') =>
  `time="2026-11-24T07:00:48Z" level=info msg="response completed" http.request.method=GET http.request.remoteaddr="127.0.0.1:${port}" http.request.uri=/v2/ http.request.useragent=${agent} http.response.status=200`;

const BLOB = `/v2/team/app/blobs/sha256:${'a'.repeat(64)}`;

describe("a registry's log", () => {
  it('is counted by method, class and status, sorted', () => {
    const log = [
      access('PUT /v2/team/app/manifests/1', 201, 0),
      access('HEAD /v2/team/app/manifests/1', 404, 91),
      access('HEAD /v2/team/app/manifests/2', 404, 91),
      access(`POST /v2/team/app/blobs/uploads/?mount=sha256:aa&from=team/base`, 201, 0),
      access('POST /v2/team/app/blobs/uploads/', 202, 0),
    ].join('\n');

    const traffic = readTraffic(log);

    assert.equal(traffic.requests, 5);
    assert.deepEqual(Object.entries(traffic.classes), [
      ['HEAD manifest 404', 2],
      ['POST mount 201', 1],
      ['POST upload 202', 1],
      ['PUT manifest 201', 1],
    ]);
  });

  it('counts bytes of answers that had a body, not the length that a HEAD names', () => {
    const log = [access(`GET ${BLOB}`, 200, 1000), access(`HEAD ${BLOB}`, 200, 1000)].join('\n');

    const { bodyBytes } = readTraffic(log);

    assert.equal(bodyBytes, 1000);
  });

  it('tells how many connections there were by the ports of the other side', () => {
    const log = [structured(4001), structured(4002), structured(4001)].join('\n');

    const { connections, requests } = readTraffic(log);

    assert.equal(connections, 2);
    assert.equal(requests, 0);
  });

  it("leaves out the benchmark's own requests, and their connections", () => {
    const log = [access('GET /v2/', 200, 2, 'test-support'), structured(4001, 'test-support')].join(
      '\n',
    );

    const traffic = readTraffic(log);

    assert.deepEqual(traffic, { requests: 0, classes: {}, bodyBytes: 0, connections: 0 });
  });

  it('may hold lines of any other kind', () => {
    const traffic = readTraffic('time="now" level=warning msg="something"\n\nnonsense');

    assert.equal(traffic.requests, 0);
  });
});
